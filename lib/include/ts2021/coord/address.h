// SPDX-License-Identifier: BSD-3-Clause
// The addresses of a tailnet: 100.64.0.0/10, and the IPv6 address that follows from each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_set>

#include "ts2021/base/entropy.h"

namespace ts2021 {

struct Ipv4Address {
  std::uint32_t value = 0;  // host order; 0: none
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const Ipv4Address&, const Ipv4Address&) = default;
};

using Ipv6Bytes = std::array<std::uint8_t, 16>;

// fd7a:115c:a1e0:ab12:4843:cd96:62bb:ccdd for a.b.c.d (API-30).
[[nodiscard]] Ipv6Bytes mapped_v6(Ipv4Address v4) noexcept;
// True for an address that a node may have (API-31).
[[nodiscard]] bool is_assignable(Ipv4Address v4) noexcept;

// Gives out addresses that no node has. An address given out is taken until release().
class AddressPool {
 public:
  // Released addresses that wait before they may be given out again; the oldest leave first.
  static constexpr std::size_t max_quarantine = 4096;

  // False when a node has it already. One that rests is taken out of its rest: its old node is back.
  [[nodiscard]] bool take(Ipv4Address v4);
  // A random free one; none when nearly all are taken.
  [[nodiscard]] std::optional<Ipv4Address> allocate(Entropy& entropy);
  // Only what take() or allocate() has taken. quarantined: peers may still know it, so it rests for a while.
  void release(Ipv4Address v4, bool quarantined);
  [[nodiscard]] std::size_t taken_count() const noexcept { return taken_.size() - resting_.size(); }

 private:
  std::unordered_set<std::uint32_t> taken_;  // with those that rest
  std::deque<std::uint32_t> resting_;
};

}  // namespace ts2021

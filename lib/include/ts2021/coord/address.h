// SPDX-License-Identifier: BSD-3-Clause
// The addresses of a tailnet: 100.64.0.0/10, and the IPv6 address that follows from each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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
  // How many released addresses wait at most before they may be given out again.
  static constexpr std::size_t quarantine = 1024;

  // False when it is taken already.
  bool take(Ipv4Address v4);
  // A random free one; none when nearly all are taken.
  [[nodiscard]] std::optional<Ipv4Address> allocate(Entropy& entropy);
  void release(Ipv4Address v4);
  [[nodiscard]] std::size_t taken_count() const noexcept { return taken_.size(); }

 private:
  std::unordered_set<std::uint32_t> taken_;
};

}  // namespace ts2021

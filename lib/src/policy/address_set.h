// SPDX-License-Identifier: BSD-3-Clause
// Sets of addresses: what hosts, networks and IP sets stand for.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/msg/primitives.h"

namespace ts2021::policy {

// From first to last, both in it; of one family.
struct AddressRange {
  IpAddress first, last;

  [[nodiscard]] static AddressRange of(const IpPrefix& prefix) noexcept;  // host bits don't count
  // An address, a prefix or "a-b".
  [[nodiscard]] static std::optional<AddressRange> parse(std::string_view text) noexcept;
  [[nodiscard]] bool is_one() const noexcept { return first == last; }
  // As packet filters write it: an address, a prefix where it is one, or "a-b".
  [[nodiscard]] std::string text() const;
  // The same as few prefixes as possible; at most 254.
  [[nodiscard]] std::vector<IpPrefix> prefixes() const;
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

// Never holds overlapping or touching ranges.
class AddressSet {
 public:
  void add(const AddressRange& range);
  void add(const AddressSet& other);
  void remove(const AddressRange& range);
  void remove(const AddressSet& other);

  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  [[nodiscard]] std::size_t count() const noexcept { return ranges_.size(); }  // of ranges
  [[nodiscard]] bool contains(const AddressRange& range) const;                // all of it
  [[nodiscard]] bool overlaps(const AddressRange& range) const;
  // What both have, ascending.
  [[nodiscard]] std::vector<AddressRange> common(const AddressRange& range) const;
  [[nodiscard]] std::vector<AddressRange> ranges() const;

 private:
  std::map<IpAddress, IpAddress> ranges_;  // first → last
};

// What autogroup:internet stands for: all but private, shared, link-local and this network's addresses.
[[nodiscard]] AddressSet internet();

}  // namespace ts2021::policy

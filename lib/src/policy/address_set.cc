// SPDX-License-Identifier: BSD-3-Clause
#include "policy/address_set.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "ts2021/base/bytes.h"

namespace ts2021::policy {
namespace {

constexpr std::size_t v6_size = 16;

IpAddress from_bytes(const IpAddress& like, const std::array<std::uint8_t, v6_size>& bytes) noexcept {
  return like.is_v4() ? IpAddress::v4(load_u32be(bytes)) : IpAddress::v6(bytes);
}

std::array<std::uint8_t, v6_size> bytes_of(const IpAddress& address) noexcept {
  std::array<std::uint8_t, v6_size> out{};
  std::copy(address.bytes().begin(), address.bytes().end(), out.begin());
  return out;
}

// The neighbour above or below; none at the end of the family.
std::optional<IpAddress> above(const IpAddress& address) noexcept {
  auto bytes = bytes_of(address);
  for (std::size_t i = address.bytes().size(); i-- > 0;)
    if (++bytes[i] != 0) return from_bytes(address, bytes);
  return std::nullopt;
}
std::optional<IpAddress> below(const IpAddress& address) noexcept {
  auto bytes = bytes_of(address);
  for (std::size_t i = address.bytes().size(); i-- > 0;)
    if (bytes[i]-- != 0) return from_bytes(address, bytes);
  return std::nullopt;
}

std::uint8_t bit_count(const IpAddress& address) noexcept {
  return static_cast<std::uint8_t>(8 * address.bytes().size());
}

}  // namespace

AddressRange AddressRange::of(const IpPrefix& prefix) noexcept {
  const IpAddress first = prefix.masked().address;
  auto bytes = bytes_of(first);
  for (unsigned bit = prefix.size; bit < bit_count(first); ++bit)
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | (0x80u >> (bit % 8)));
  return {first, from_bytes(first, bytes)};
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  if (const auto address = IpAddress::parse(text)) {
    if (address->is_none() || address->has_zone()) return std::nullopt;
    return AddressRange{*address, *address};
  }
  if (const auto prefix = IpPrefix::parse(text)) {
    if (prefix->is_none() || prefix->address.has_zone()) return std::nullopt;
    return of(*prefix);
  }
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = IpAddress::parse(text.substr(dash + 1));
  if (!first || !last || first->is_none() || first->family() != last->family() || first->has_zone() ||
      last->has_zone() || *last < *first)
    return std::nullopt;
  return AddressRange{*first, *last};
}

std::vector<IpPrefix> AddressRange::prefixes() const {
  std::vector<IpPrefix> out;
  std::optional<IpAddress> at = first;
  while (at && *at <= last) {
    IpPrefix widest = IpPrefix::host(*at);
    while (widest.size > 0) {
      const IpPrefix wider{*at, static_cast<std::uint8_t>(widest.size - 1)};
      if (wider.masked().address != *at || last < of(wider).last) break;
      widest = wider;
    }
    out.push_back(widest);
    at = above(of(widest).last);
  }
  return out;
}

std::string AddressRange::text() const {
  if (is_one()) return first.text();
  const auto parts = prefixes();
  return parts.size() == 1 ? parts.front().text() : first.text() + "-" + last.text();
}

void AddressSet::add(const AddressRange& range) {
  AddressRange wide = range;
  auto at = ranges_.upper_bound(wide.first);
  if (at != ranges_.begin()) {
    const auto before = std::prev(at);
    const auto next = above(before->second);
    if (before->first.family() == wide.first.family() && (!next || wide.first <= *next)) at = before;
  }
  const auto end = above(wide.last);
  while (at != ranges_.end() && at->first.family() == wide.first.family() && (!end || at->first <= *end)) {
    wide.first = std::min(wide.first, at->first);
    wide.last = std::max(wide.last, at->second);
    at = ranges_.erase(at);
  }
  ranges_.emplace(wide.first, wide.last);
}

void AddressSet::add(const AddressSet& other) {
  for (const auto& [first, last] : other.ranges_) add(AddressRange{first, last});
}

void AddressSet::remove(const AddressRange& range) {
  auto at = ranges_.upper_bound(range.first);
  if (at != ranges_.begin() && range.first <= std::prev(at)->second) --at;
  while (at != ranges_.end() && at->first <= range.last) {
    const AddressRange old{at->first, at->second};
    at = ranges_.erase(at);
    // Both neighbours exist: the old range reaches beyond the removed one.
    if (old.first < range.first) ranges_.emplace(old.first, *below(range.first));
    if (range.last < old.last) ranges_.emplace(*above(range.last), old.last);
  }
}

void AddressSet::remove(const AddressSet& other) {
  for (const auto& [first, last] : other.ranges_) remove(AddressRange{first, last});
}

bool AddressSet::contains(const AddressRange& range) const {
  const auto after = ranges_.upper_bound(range.first);
  return after != ranges_.begin() && range.last <= std::prev(after)->second;
}

bool AddressSet::overlaps(const AddressRange& range) const {
  const auto after = ranges_.upper_bound(range.last);
  return after != ranges_.begin() && range.first <= std::prev(after)->second;
}

std::vector<AddressRange> AddressSet::common(const AddressRange& range) const {
  std::vector<AddressRange> out;
  auto at = ranges_.upper_bound(range.first);
  if (at != ranges_.begin() && range.first <= std::prev(at)->second) --at;
  for (; at != ranges_.end() && at->first <= range.last; ++at)
    out.push_back({std::max(at->first, range.first), std::min(at->second, range.last)});
  return out;
}

std::vector<AddressRange> AddressSet::ranges() const {
  std::vector<AddressRange> out;
  for (const auto& [first, last] : ranges_) out.push_back({first, last});
  return out;
}

AddressSet internet() {
  AddressSet out;
  const auto range = [](std::string_view text) { return *AddressRange::parse(text); };
  out.add(range("0.0.0.0/0"));
  out.add(range("2000::/3"));
  for (const std::string_view local :
       {"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"})
    out.remove(range(local));
  return out;
}

}  // namespace ts2021::policy

// SPDX-License-Identifier: BSD-3-Clause
// Which selectors match a node, and which rules those selectors stand in.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/document.h"
#include "ts2021/coord/policy.h"

namespace ts2021::policy {

// What selectors look at: of a node, or of what a test names.
struct Traits {
  bool is_node = true;  // else only addresses count
  bool tagged = false;
  std::string_view user;  // key of the owner; counts for nodes without tags
  std::span<const std::string> tags;
  std::vector<AddressRange> addresses;  // its own and its subnet routes
  bool exit_node = false;
};

// The subject must outlive it. `with_addresses`: else they stay empty, which is cheaper.
[[nodiscard]] Traits traits_of(const Subject& subject, bool with_addresses);
// A node's own addresses, IPv4 first.
[[nodiscard]] std::array<AddressRange, 2> own_addresses(const NodeRecord& node) noexcept;
// Advertised and approved; exit routes too.
[[nodiscard]] std::vector<IpPrefix> routes_in_force(const NodeRecord& node);

class Matcher {
 public:
  // The document must outlive it and not change.
  explicit Matcher(const Document& document);

  // Whether any rule or attribute names addresses at all.
  [[nodiscard]] bool looks_at_addresses() const noexcept { return !addresses_.empty(); }
  // The selectors that match, ascending. What an exit node is only as a destination is left out of sources.
  [[nodiscard]] Selectors sources(const Traits& traits) const { return matches(traits, false); }
  [[nodiscard]] Selectors destinations(const Traits& traits) const { return matches(traits, true); }

  // Numbers of rules, ascending.
  [[nodiscard]] const std::vector<std::uint32_t>& rules_from(SelectorId source) const {
    return from_[static_cast<std::size_t>(source)];
  }
  [[nodiscard]] const std::vector<std::uint32_t>& rules_to(SelectorId target) const {
    return to_[static_cast<std::size_t>(target)];
  }
  // Of autogroup:internet, where it is in use.
  [[nodiscard]] std::optional<SelectorId> internet() const noexcept { return internet_; }

  // Calls `take(selector)` for each that matches until it returns true; whether one did.
  template <class F>
  bool any(const Traits& traits, bool as_destination, F&& take) const;

 private:
  struct Addresses {
    SelectorId id{};
    const AddressSet* set = nullptr;
    bool on_internet = false;
  };
  [[nodiscard]] Selectors matches(const Traits& traits, bool as_destination) const;

  std::optional<SelectorId> everything_, member_, tagged_, internet_;
  std::map<std::string, Selectors, std::less<>> users_;  // by key
  std::map<std::string, SelectorId, std::less<>> domains_, tags_;
  std::vector<Addresses> addresses_;
  std::vector<std::vector<std::uint32_t>> from_, to_;  // by selector
};

template <class F>
bool Matcher::any(const Traits& traits, bool as_destination, F&& take) const {
  if (everything_ && take(*everything_)) return true;
  if (traits.is_node && traits.tagged) {
    if (tagged_ && take(*tagged_)) return true;
    for (const std::string& tag : traits.tags)
      if (const auto at = tags_.find(tag); at != tags_.end() && take(at->second)) return true;
  } else if (traits.is_node) {
    if (member_ && take(*member_)) return true;
    if (const auto at = users_.find(traits.user); at != users_.end())
      for (const SelectorId id : at->second)
        if (take(id)) return true;
    if (const std::size_t sign = traits.user.rfind('@'); sign != std::string_view::npos)
      if (const auto at = domains_.find(traits.user.substr(sign + 1));
          at != domains_.end() && take(at->second))
        return true;
  }
  for (const Addresses& one : addresses_) {
    bool matches = as_destination && traits.exit_node && one.on_internet;
    for (auto at = traits.addresses.begin(); !matches && at != traits.addresses.end(); ++at)
      matches = one.set->overlaps(*at);
    if (matches && take(one.id)) return true;
  }
  return as_destination && traits.exit_node && internet_ && take(*internet_);
}

}  // namespace ts2021::policy

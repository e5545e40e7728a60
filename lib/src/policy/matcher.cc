// SPDX-License-Identifier: BSD-3-Clause
#include "policy/matcher.h"

#include <algorithm>

#include "ts2021/msg/hostinfo.h"

namespace ts2021::policy {

std::array<AddressRange, 2> own_addresses(const NodeRecord& node) noexcept {
  const IpAddress v4 = IpAddress::v4(node.v4.value);
  const IpAddress v6 = IpAddress::v6(mapped_v6(node.v4));
  return {AddressRange{v4, v4}, AddressRange{v6, v6}};
}

std::vector<IpPrefix> routes_in_force(const NodeRecord& node) {
  std::vector<IpPrefix> out;
  if (node.hostinfo == nullptr) return out;
  const auto& advertised = node.hostinfo->routable_ips;
  for (const IpPrefix& route : node.approved_routes)
    if (!route.is_none() && std::find(advertised.begin(), advertised.end(), route) != advertised.end())
      out.push_back(route);
  return out;
}

Traits traits_of(const Subject& subject, bool with_addresses) {
  Traits out;
  out.tagged = !subject.node.tags.empty();
  out.user = user_key(subject.login);
  out.tags = subject.node.tags;
  if (with_addresses)
    for (const AddressRange& own : own_addresses(subject.node)) out.addresses.push_back(own);
  for (const IpPrefix& route : routes_in_force(subject.node)) {
    if (route.size == 0) {
      out.exit_node = true;
    } else if (with_addresses) {
      out.addresses.push_back(AddressRange::of(route));
    }
  }
  return out;
}

Matcher::Matcher(const Document& document) {
  const Vocabulary& vocabulary = document.vocabulary;
  const AddressSet beyond = policy::internet();
  constexpr std::string_view domain_prefix = "user:*@";
  for (std::uint32_t i = 0; i < vocabulary.count(); ++i) {
    const SelectorId id{i};
    const Selector& selector = vocabulary.at(id);
    switch (selector.kind) {
      case Kind::any:
        everything_ = id;
        break;
      case Kind::nobody:
      case Kind::self:
        break;
      case Kind::member:
        member_ = id;
        break;
      case Kind::tagged:
        tagged_ = id;
        break;
      case Kind::user:
      case Kind::group:
      case Kind::role:
        for (const std::string_view user : vocabulary.users(id)) {
          auto& list = users_[std::string(user)];
          if (list.empty() || list.back() != id) list.push_back(id);  // a group may name somebody twice
        }
        break;
      case Kind::domain:
        domains_[selector.name.substr(domain_prefix.size())] = id;
        break;
      case Kind::tag:
        tags_[selector.name] = id;
        break;
      case Kind::addresses: {
        Addresses one{id, &selector.addresses, false};
        for (const AddressRange& range : selector.addresses.ranges())
          one.on_internet = one.on_internet || beyond.overlaps(range);
        addresses_.push_back(one);
        break;
      }
      case Kind::internet:
        internet_ = id;
        break;
    }
  }
  from_.resize(vocabulary.count());
  to_.resize(vocabulary.count());
  for (std::uint32_t number = 0; number < document.rules.size(); ++number) {
    for (const SelectorId source : document.rules[number].sources)
      from_[static_cast<std::size_t>(source)].push_back(number);
    for (const Target& target : document.rules[number].targets) {
      auto& list = to_[static_cast<std::size_t>(target.who)];
      if (list.empty() || list.back() != number) list.push_back(number);
    }
  }
}

Selectors Matcher::matches(const Traits& traits, bool as_destination) const {
  Selectors out;
  (void)any(traits, as_destination, [&out](SelectorId id) {
    out.push_back(id);
    return false;
  });
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace ts2021::policy

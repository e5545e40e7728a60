// SPDX-License-Identifier: BSD-3-Clause
#include "policy/compiled_policy.h"

#include <algorithm>

#include "ts2021/msg/filter.h"
#include "ts2021/msg/ssh.h"

namespace ts2021::policy {
namespace {

constexpr std::size_t word = 64;

void set(std::vector<std::uint64_t>& bits, std::uint32_t number) noexcept {
  bits[number / word] |= std::uint64_t{1} << (number % word);
}
bool has(const std::vector<std::uint64_t>& bits, std::uint32_t number) noexcept {
  return (bits[number / word] >> (number % word) & 1) != 0;
}
bool overlap(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) noexcept {
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] & b[i]) != 0) return true;
  return false;
}
bool any_of(const std::vector<std::uint32_t>& numbers, const std::vector<std::uint64_t>& bits) noexcept {
  return std::any_of(numbers.begin(), numbers.end(), [&bits](std::uint32_t one) { return has(bits, one); });
}
bool contains(const Selectors& list, SelectorId id) noexcept {
  return std::find(list.begin(), list.end(), id) != list.end();
}

}  // namespace

CompiledPolicy::CompiledPolicy(Document document)
    : document_(std::move(document)),
      matcher_(document_),
      to_self_((document_.rules.size() + word - 1) / word),
      named_(document_.vocabulary.count()) {
  for (std::uint32_t number = 0; number < document_.rules.size(); ++number) {
    const Rule& rule = document_.rules[number];
    for (const SelectorId source : rule.sources) named_[static_cast<std::size_t>(source)] = true;
    const bool back = !companions(rule.app).empty();
    for (const Target& target : rule.targets) {
      if (back) named_[static_cast<std::size_t>(target.who)] = true;
      if (document_.vocabulary.at(target.who).kind == Kind::self) set(to_self_, number);
    }
  }
  for (std::uint32_t i = 0; i < document_.vocabulary.count(); ++i) {
    const Kind kind = document_.vocabulary.at(SelectorId{i}).kind;
    if (kind == Kind::any || kind == Kind::nobody || kind == Kind::addresses || kind == Kind::self ||
        kind == Kind::internet)
      named_[i] = false;
  }
}

ViewClass CompiledPolicy::view_of(const Subject& node) const {
  const Traits who = traits(node);
  View view;
  view.from.resize(to_self_.size());
  view.to.resize(to_self_.size());
  (void)matcher_.any(who, true, [&](SelectorId id) {
    for (const std::uint32_t rule : matcher_.rules_to(id)) set(view.to, rule);
    return false;
  });
  (void)matcher_.any(who, false, [&](SelectorId id) {
    for (const std::uint32_t rule : matcher_.rules_from(id)) set(view.from, rule);
    return false;
  });
  if (!who.tagged && overlap(view.from, to_self_)) view.self = node.node.user;
  const auto [at, fresh] = numbers_.emplace(std::move(view), static_cast<std::uint32_t>(views_.size()));
  if (fresh) views_.push_back(&at->first);
  return ViewClass{at->second};
}

// Either may reach the other (API-120).
bool CompiledPolicy::sees(ViewClass viewer, const Subject& peer) const {
  if (static_cast<std::size_t>(viewer) >= views_.size()) return false;
  const View& view = *views_[static_cast<std::size_t>(viewer)];
  const Traits who = traits(peer);
  if (!who.tagged && view.self != UserId{} && view.self == peer.node.user) return true;
  return matcher_.any(who, true, [&](SelectorId id) { return any_of(matcher_.rules_to(id), view.from); }) ||
         matcher_.any(who, false, [&](SelectorId id) { return any_of(matcher_.rules_from(id), view.to); });
}

std::vector<FilterRule> CompiledPolicy::packet_filter(const Subject& node) const {
  return filter_for(document_, matcher_, node);
}

std::vector<std::string> CompiledPolicy::source_capabilities(const Subject& node) const {
  const Traits who = traits(node);
  std::vector<std::string> out;
  bool to_self = false;
  for (const SelectorId id : matcher_.sources(who)) {
    if (named_[static_cast<std::size_t>(id)]) out.push_back(source_capability(document_.vocabulary.at(id)));
    to_self = to_self || (!who.tagged && any_of(matcher_.rules_from(id), to_self_));
  }
  if (to_self) out.push_back(self_capability(node.node.user));
  std::sort(out.begin(), out.end());
  return out;
}

CapMap CompiledPolicy::node_attributes(const Subject& node) const {
  CapMap out;
  const Selectors matching = matcher_.sources(traits(node));
  for (const NodeAttributes& one : document_.attributes) {
    const bool meant = std::any_of(one.targets.begin(), one.targets.end(), [&matching](SelectorId id) {
      return std::binary_search(matching.begin(), matching.end(), id);
    });
    if (!meant) continue;
    for (const auto& [name, values] : one.capabilities) {
      auto& list = out[name];
      list.insert(list.end(), values.begin(), values.end());
    }
  }
  return out;
}

std::optional<SSHPolicy> CompiledPolicy::ssh_policy(const Subject& node,
                                                    std::span<const Subject> everybody) const {
  if (!document_.has_ssh) return std::nullopt;
  return ssh_for(document_, matcher_, node, everybody);
}

bool CompiledPolicy::may_tag(std::string_view login, std::span<const std::string> owner_tags,
                             std::string_view tag) const {
  const auto owners = document_.tag_owners.find(tag);
  if (owners == document_.tag_owners.end()) return false;
  Traits who;
  who.tagged = !owner_tags.empty();
  who.user = user_key(login);
  who.tags = owner_tags;
  return matcher_.any(who, false, [&](SelectorId id) {
    return contains(owners->second, id) || contains(document_.tag_admins, id);
  });
}

bool CompiledPolicy::approves_route(const Subject& node, const IpPrefix& route) const {
  const Selectors who = matcher_.sources(traits(node));
  const auto meant = [&who](const Selectors& approvers) {
    return std::any_of(approvers.begin(), approvers.end(),
                       [&who](SelectorId id) { return std::binary_search(who.begin(), who.end(), id); });
  };
  if (route.is_none()) return false;
  if (route.size == 0) return meant(document_.exit_approvers);
  return std::any_of(
      document_.route_approvers.begin(), document_.route_approvers.end(), [&](const auto& row) {
        return row.first.size <= route.size && row.first.contains(route.address) && meant(row.second);
      });
}

}  // namespace ts2021::policy

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/map_filter.h"

#include <algorithm>

#include "ts2021/msg/downlevel.h"

namespace ts2021::coord {
namespace {

// TEST-39: everybody, to all that a node has.
FilterRule grant_to_all(CapGrant grant) {
  FilterRule rule;
  rule.src_ips = {"*"};
  grant.dsts = {{IpAddress::v4(0), 0}, {IpAddress::v6({}), 0}};
  rule.cap_grant = {std::move(grant)};
  return rule;
}

std::vector<FilterRule> test_rules(const Rules& rules) {
  CapGrant grant;
  grant.caps = {"https://tailscale.com/cap/ingress"};
  if (rules.peer_relay_grants)
    grant.caps.insert(grant.caps.end(), {"tailscale.com/cap/relay", "tailscale.com/cap/relay-target"});
  return {allow_all_rule(), grant_to_all(std::move(grant))};
}

// Whether a source of a rule has the address; capabilities are no addresses to clients.
bool has(std::string_view source, const IpAddress& address) {
  if (source == "*") return true;
  if (const auto prefix = IpPrefix::parse(source)) return prefix->contains(address);
  if (const auto only = IpAddress::parse(source)) return *only == address;
  const auto dash = source.find('-');
  if (dash == std::string_view::npos) return false;
  const auto first = IpAddress::parse(source.substr(0, dash)),
             last = IpAddress::parse(source.substr(dash + 1));
  return first && last && first->family() == address.family() && *first <= address && address <= *last;
}

// TEST-34: a rule that opens ports to an unsigned node makes clients refuse all of them.
void leave_out_unsigned(const Snapshot& snapshot, const NodeState& self, std::vector<FilterRule>& rules) {
  std::vector<IpAddress> out, in;
  for (const auto& [id, state] : snapshot.tailnet.nodes()) {
    auto& list = snapshot.overrides.of(id).unsigned_peer_api_only ? out : in;
    for (const IpPrefix& prefix : addresses_seen(snapshot, *self.record, state))
      list.push_back(prefix.address);
  }
  for (FilterRule& rule : rules) {
    if (rule.dst_ports.empty()) continue;
    std::vector<std::string> sources;
    const auto add = [&sources](std::string source) {
      if (std::find(sources.begin(), sources.end(), source) == sources.end())
        sources.push_back(std::move(source));
    };
    for (const std::string& source : rule.src_ips) {
      if (std::none_of(out.begin(), out.end(), [&](const auto& address) { return has(source, address); })) {
        add(source);
        continue;
      }
      for (const IpAddress& address : in)
        if (has(source, address)) add(address.text());
    }
    rule.src_ips = std::move(sources);
  }
  std::erase_if(rules, [](const FilterRule& rule) { return rule.src_ips.empty(); });
}

}  // namespace

std::vector<FilterRule> filter_of(const Snapshot& snapshot, const NodeState& self, Capability viewer) {
  const CoordinatorConfig& config = snapshot.settings.config();
  std::vector<FilterRule> rules;
  if (config.test_mode)
    rules = test_rules(config.rules);
  else
    rules = snapshot.policy.packet_filter(snapshot.tailnet.subject(*self.record));
  if (const auto& caps = snapshot.overrides.all.app_caps) {
    CapGrant grant;
    grant.cap_map = *caps;
    rules.push_back(grant_to_all(std::move(grant)));
  }
  if (!filter_lists_nodes(snapshot)) return rules;
  if (!understands_cap_sources(viewer)) rules = expand_sources(std::move(rules), &snapshot.grants);
  leave_out_unsigned(snapshot, self, rules);
  return rules;
}

bool filter_lists_nodes(const Snapshot& snapshot) { return snapshot.overrides.any_unsigned(); }

}  // namespace ts2021::coord

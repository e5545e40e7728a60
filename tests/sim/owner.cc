// SPDX-License-Identifier: BSD-3-Clause
#include "sim/owner.h"

#include <string>

#include "sim/islands.h"
#include "ts2021/msg/derp.h"

namespace ts2021::test {
namespace {

using Orders = Intent::Orders;

template <class Table, class Key, class Value>
void set_or_erase(Table& table, const Key& key, const std::optional<Value>& value) {
  if (value)
    table[key] = *value;
  else
    table.erase(key);
}

template <class Set, class Key>
void insert_or_erase(Set& set, const Key& key, bool on) {
  if (on)
    set.insert(key);
  else
    set.erase(key);
}

}  // namespace

std::shared_ptr<const DERPMap> make_derp_map(int regions) {
  DERPMap map;
  map.regions.emplace();
  for (int id = 900; id < 900 + regions; ++id) {
    DERPRegion region;
    region.region_id = id;
    region.region_code = region.region_name = "r" + std::to_string(id);
    DERPNode node;
    node.name = std::to_string(id) + "a";
    node.region_id = id;
    node.host_name = "relay.test";
    region.nodes = {node};
    map.regions->emplace(id, region);
  }
  return std::make_shared<const DERPMap>(map);
}

NodeId Owner::some_node() {
  const auto& nodes = intent_.nodes();
  if (nodes.empty()) return NodeId{};
  return std::next(nodes.begin(), static_cast<std::ptrdiff_t>(roll(nodes.size())))->first;
}

Owner::Order Owner::another_policy() {
  const auto policy = std::make_shared<const Islands>(roll(4) * islands_ / 3);
  return {coord_command::SetPolicy{policy}, then([policy](Orders& orders) { orders.policy = policy; })};
}

Owner::Order Owner::another_derp_map() {
  const auto map = make_derp_map(static_cast<int>(1 + roll(4)));
  return {coord_command::SetDERPMap{map}, then([map](Orders& orders) { orders.derp_map = map; })};
}

std::optional<Owner::Order> Owner::order(WallTime now) {
  const std::string number = std::to_string(++orders_);
  switch (roll(11)) {
    case 0: {
      DnsSettings dns;
      dns.certificates = roll(2) == 0;
      dns.magic_dns = roll(3) != 0;
      dns.search_domains = {"d" + number + ".test"};
      return Order{coord_command::SetDns{dns}, then([dns](Orders& orders) { orders.dns = dns; })};
    }
    case 1: {
      std::optional<ClientVersion> version;
      if (roll(3) != 0) version.emplace().latest_version = number;
      return Order{coord_command::SetClientVersion{version},
                   then([version](Orders& orders) { orders.version = version; })};
    }
    case 2: {
      std::optional<ControlDialPlan> plan;
      if (roll(3) != 0) plan.emplace().candidates.emplace_back().priority = static_cast<int>(orders_);
      return Order{coord_command::SetDialPlan{plan}, then([plan](Orders& orders) { orders.plan = plan; })};
    }
    case 3:
      return Order{coord_command::OpenBrowser{some_node(), "https://page.test/" + number}, [] {}};
    case 4:
      return messages();
    case 5:
      return override_something();
    case 6:
      return pairs();
    default:
      return node_order(now);
  }
}

// Maps follow the records, so that nothing more is expected here.
Owner::Order Owner::node_order(WallTime now) {
  const NodeId node = some_node();
  const auto nothing = [] {};
  switch (roll(7)) {
    case 0:
      return {coord_command::SetExpiry{node, now}, nothing};
    case 1:
    case 2:
      return {coord_command::SetExpiry{node, std::nullopt}, nothing};
    case 3:
      return {coord_command::ApproveNode{node, roll(3) != 0}, nothing};
    case 4: {
      std::vector<std::string> tags;
      if (roll(2) == 0) tags.emplace_back("tag:ordered");
      return {coord_command::SetTags{node, std::move(tags)}, nothing};
    }
    case 5:
      return {coord_command::RenameNode{node, roll(2) == 0 ? "" : "n" + std::to_string(roll(6))}, nothing};
    default:
      return {coord_command::DeleteNode{node}, nothing};
  }
}

Owner::Order Owner::messages() {
  const NodeId node = roll(2) == 0 ? NodeId{} : some_node();
  coord_command::SetMessages what{node, {}};
  auto& change = what.messages["m" + std::to_string(roll(4))];
  if (roll(3) != 0) change = DisplayMessage{"title" + std::to_string(orders_), "text", "low", false, {}};
  const auto messages = what.messages;
  return {std::move(what), [this, node, messages] {
            if (node != NodeId{} && !intent_.find(node)) return;  // gone meanwhile
            intent_.obey([&](Orders& orders) {
              auto& shown = node == NodeId{} ? orders.shown : orders.shown_to[node];
              for (const auto& [id, message] : messages) set_or_erase(shown, id, message);
            });
          }};
}

Owner::Order Owner::override_something() {
  const NodeId node = some_node();
  const bool on = roll(3) != 0;
  switch (roll(6)) {
    case 0: {
      const auto number = static_cast<std::uint32_t>(node);
      std::vector<IpPrefix> list{{IpAddress::v4(0x0a800000 | number << 8), 24}};
      if (roll(2) == 0) list.push_back({IpAddress::v4(0), 0});
      const auto routes = on ? std::optional(list) : std::nullopt;
      return {coord_command::OverrideRoutes{node, routes},
              then([node, routes](Orders& orders) { set_or_erase(orders.laid.routes, node, routes); })};
    }
    case 1: {
      const CapMap some{{"laid-" + std::to_string(roll(3)), {}}};
      const auto caps = on ? std::optional(some) : std::nullopt;
      return {coord_command::OverrideCapabilities{node, caps},
              then([node, caps](Orders& orders) { set_or_erase(orders.laid.capabilities, node, caps); })};
    }
    case 2:
      return {coord_command::SetUnsignedPeerApiOnly{node, on},
              then([node, on](Orders& orders) { insert_or_erase(orders.laid.not_signed, node, on); })};
    case 3: {
      std::optional<CapMap> caps;
      if (on) caps = CapMap{{"app-" + std::to_string(orders_), {}}};
      return {coord_command::SetAppCaps{caps}, then([caps](Orders& orders) { orders.laid.app_caps = caps; })};
    }
    case 4: {
      std::optional<SSHPolicy> policy;
      if (on) policy.emplace().rules.emplace_back().action.message = std::to_string(orders_);
      return {coord_command::SetSshPolicy{policy},
              then([policy](Orders& orders) { orders.laid.ssh = policy; })};
    }
    default: {
      std::optional<DNSConfig> dns;
      if (on) dns.emplace().domains = {"laid" + std::to_string(orders_) + ".test"};
      return {coord_command::SetDnsConfig{dns}, then([dns](Orders& orders) { orders.laid.dns = dns; })};
    }
  }
}

std::optional<Owner::Order> Owner::pairs() {
  const NodeId viewer = some_node(), peer = some_node();
  if (viewer == peer) return std::nullopt;
  const bool on = roll(3) != 0;
  if (roll(2) == 0)
    return Order{coord_command::SetJailed{viewer, peer, on}, then([viewer, peer, on](Orders& orders) {
                   insert_or_erase(orders.laid.jailed, std::pair(viewer, peer), on);
                 })};
  std::vector<Masquerade> all;
  if (on) {
    const auto &node = intent_.find(viewer)->record->key, &of = intent_.find(peer)->record->key;
    const auto number = static_cast<std::uint32_t>(orders_);
    all.push_back({node, of, IpAddress::v4(0x64650000 + number)});
    if (roll(2) == 0) all.push_back({of, node, IpAddress::v4(0x64660000 + number)});
    if (roll(2) == 0) all.push_back({node, of, IpAddress::v6(mapped_v6(Ipv4Address{0x64650000 + number}))});
  }
  return Order{coord_command::SetMasquerades{all},
               then([all](Orders& orders) { orders.laid.masquerades = all; })};
}

void Owner::administrate() {
  const auto number = static_cast<std::uint8_t>(roll(250));
  administrator_.change(some_node(), [&](NodeRecord& node) {
    switch (roll(6)) {
      case 0:
        node.authorized = !node.authorized;
        break;
      case 1:
      case 2:
        node.approved_routes.clear();
        for (const auto* text : {"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "0.0.0.0/0", "::/0"})
          if (roll(3) != 0) node.approved_routes.push_back(*IpPrefix::parse(text));
        break;
      case 3:
        node.capabilities.clear();
        if (roll(2) == 0) node.capabilities["suggest-exit-node"];
        if (roll(2) == 0) node.capabilities["only-own"];
        break;
      case 4:
        node.key_signature.assign(roll(3), number);
        break;
      default:
        if (node.attributes.erase("trusted") == 0) node.attributes["trusted"] = *RawJson::parse("true");
    }
  });
}

}  // namespace ts2021::test

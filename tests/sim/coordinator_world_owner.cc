// SPDX-License-Identifier: BSD-3-Clause
// What the owner of the simulated tailnet does, by orders and behind the coordinator's back.
#include "sim/coordinator_world.h"

namespace ts2021::test {

NodeId CoordinatorWorld::some_node() {
  if (stored_.empty()) return NodeId{};
  return std::next(stored_.begin(), static_cast<std::ptrdiff_t>(roll(stored_.size())))->first;
}

void CoordinatorWorld::order(CoordOrder what, std::function<void()> done) {
  const CommandId id{++commands_};
  orders_[id] = std::move(done);
  ++tally.orders;
  coordinator_.handle(CoordCommand{id, std::move(what)}, clock_.now);
}

void CoordinatorWorld::order() {
  const std::string number = std::to_string(commands_);
  switch (roll(11)) {
    case 0: {
      DnsSettings dns;
      dns.certificates = roll(2) == 0;
      dns.magic_dns = roll(3) != 0;
      dns.search_domains = {"d" + number + ".test"};
      return order(coord_command::SetDns{dns}, [this, dns] { dns_ = dns; });
    }
    case 1: {
      std::optional<ClientVersion> version;
      if (roll(3) != 0) version.emplace().latest_version = number;
      return order(coord_command::SetClientVersion{version}, [this, version] { version_ = version; });
    }
    case 2: {
      std::optional<ControlDialPlan> plan;
      if (roll(3) != 0) plan.emplace().candidates.emplace_back().priority = static_cast<int>(commands_);
      return order(coord_command::SetDialPlan{plan}, [this, plan] { plan_ = plan; });
    }
    case 3:
      return order(coord_command::OpenBrowser{some_node(), "https://page.test/" + number}, [] {});
    case 4:
      return order_messages();
    case 5:
      return order_override();
    case 6:
      return order_pairs();
    default:
      return order_node();
  }
}

// Maps follow the records, so that nothing more is expected here.
void CoordinatorWorld::order_node() {
  const NodeId node = some_node();
  const auto nothing = [] {};
  switch (roll(7)) {
    case 0:
      return order(coord_command::SetExpiry{node, clock_.now.wall}, nothing);
    case 1:
    case 2:
      return order(coord_command::SetExpiry{node, std::nullopt}, nothing);
    case 3:
      return order(coord_command::ApproveNode{node, roll(3) != 0}, nothing);
    case 4: {
      std::vector<std::string> tags;
      if (roll(2) == 0) tags.emplace_back("tag:ordered");
      return order(coord_command::SetTags{node, std::move(tags)}, nothing);
    }
    case 5:
      return order(coord_command::RenameNode{node, roll(2) == 0 ? "" : "n" + std::to_string(roll(6))},
                   nothing);
    default:
      return order(coord_command::DeleteNode{node}, nothing);
  }
}

void CoordinatorWorld::order_messages() {
  const NodeId node = roll(2) == 0 ? NodeId{} : some_node();
  coord_command::SetMessages what{node, {}};
  auto& change = what.messages["m" + std::to_string(roll(4))];
  if (roll(3) != 0) change = DisplayMessage{"title" + std::to_string(commands_), "text", "low", false, {}};
  const auto messages = what.messages;
  order(std::move(what), [this, node, messages] {
    if (node != NodeId{} && !stored_.contains(node)) return;  // gone meanwhile
    Messages& shown = node == NodeId{} ? shown_ : shown_to_[node];
    for (const auto& [id, message] : messages)
      if (message)
        shown[id] = *message;
      else
        shown.erase(id);
  });
}

void CoordinatorWorld::order_override() {
  const NodeId node = some_node();
  const bool on = roll(3) != 0;
  switch (roll(6)) {
    case 0: {
      const auto number = static_cast<std::uint32_t>(node);
      std::vector<IpPrefix> routes{{IpAddress::v4(0x0a800000 | number << 8), 24}};
      if (roll(2) == 0) routes.push_back({IpAddress::v4(0), 0});
      return order(coord_command::OverrideRoutes{node, on ? std::optional(routes) : std::nullopt},
                   [this, node, on, routes] {
                     on ? void(laid_.routes[node] = routes) : void(laid_.routes.erase(node));
                   });
    }
    case 1: {
      const CapMap caps{{"laid-" + std::to_string(roll(3)), {}}};
      return order(coord_command::OverrideCapabilities{node, on ? std::optional(caps) : std::nullopt},
                   [this, node, on, caps] {
                     on ? void(laid_.capabilities[node] = caps) : void(laid_.capabilities.erase(node));
                   });
    }
    case 2:
      return order(coord_command::SetUnsignedPeerApiOnly{node, on}, [this, node, on] {
        on ? void(laid_.not_signed.insert(node)) : void(laid_.not_signed.erase(node));
      });
    case 3: {
      std::optional<CapMap> caps;
      if (on) caps = CapMap{{"app-" + std::to_string(commands_), {}}};
      return order(coord_command::SetAppCaps{caps}, [this, caps] { laid_.app_caps = caps; });
    }
    case 4: {
      std::optional<SSHPolicy> policy;
      if (on) policy.emplace().rules.emplace_back().action.message = std::to_string(commands_);
      return order(coord_command::SetSshPolicy{policy}, [this, policy] { laid_.ssh = policy; });
    }
    default: {
      std::optional<DNSConfig> dns;
      if (on) dns.emplace().domains = {"laid" + std::to_string(commands_) + ".test"};
      return order(coord_command::SetDnsConfig{dns}, [this, dns] { laid_.dns = dns; });
    }
  }
}

void CoordinatorWorld::order_pairs() {
  const NodeId viewer = some_node(), peer = some_node();
  if (viewer == peer) return;
  const bool on = roll(3) != 0;
  if (roll(2) == 0)
    return order(coord_command::SetJailed{viewer, peer, on}, [this, viewer, peer, on] {
      on ? void(laid_.jailed.emplace(viewer, peer)) : void(laid_.jailed.erase({viewer, peer}));
    });
  std::vector<Masquerade> all;
  if (on) {
    const auto &node = stored_.at(viewer).key, &of = stored_.at(peer).key;
    const auto number = static_cast<std::uint32_t>(commands_);
    all.push_back({node, of, IpAddress::v4(0x64650000 + number)});
    if (roll(2) == 0) all.push_back({of, node, IpAddress::v4(0x64660000 + number)});
    if (roll(2) == 0) all.push_back({node, of, IpAddress::v6(mapped_v6(Ipv4Address{0x64650000 + number}))});
  }
  order(coord_command::SetMasquerades{all}, [this, all] { laid_.masquerades = all; });
}

void CoordinatorWorld::administrate() {
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

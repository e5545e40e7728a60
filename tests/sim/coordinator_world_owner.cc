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
  switch (roll(8)) {
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

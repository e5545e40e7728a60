// SPDX-License-Identifier: BSD-3-Clause
#include "coord/test_orders.h"

#include <algorithm>
#include <utility>

#include "coord/name.h"
#include "coord/node_put.h"
#include "coord/tags.h"
#include "json/writer.h"
#include "ts2021/msg/node.h"

namespace ts2021::coord {
namespace {

using namespace coord_command;

constexpr unsigned max_fake_nodes = 100'000;
constexpr NodeId max_node_id{9'007'199'254'740'991};  // that clients can read

// What may be ordered in any mode.
Rules common_part(const Rules& rules) {
  Rules out;
  out.require_approval = rules.require_approval;
  out.expire_all = rules.expire_all;
  out.collect_services = rules.collect_services;
  out.login_url = rules.login_url;
  out.peer_relay_grants = rules.peer_relay_grants;
  return out;
}

bool is_domain(std::string_view text) {
  while (!text.empty()) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot)) || dot == text.size() - 1) return false;
    text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  }
  return true;
}

template <class Key>
Key random_key(Entropy& entropy) {
  std::array<std::uint8_t, Key::size> raw{};
  entropy.fill(raw);
  return Key::from_bytes(raw);
}

}  // namespace

struct TestOrders::Result {
  int status = 200;
  std::string_view text{};
  std::string body{};
};

std::optional<MachinePublic> TestOrders::lane(const CoordOrder& order) const {
  return std::visit(
      [this](const auto& of) -> std::optional<MachinePublic> {
        using Order = std::remove_cvref_t<decltype(of)>;
        if constexpr (std::is_same_v<Order, PutNode>) {
          const NodeState* known = tailnet_.find(of.key);
          return known ? known->record->machine : MachinePublic();
        } else if constexpr (std::is_same_v<Order, CompleteLogin> || std::is_same_v<Order, FailLogin>) {
          if (config_.test_mode) return logins_.machine(of.id);
        }
        return std::nullopt;
      },
      order);
}

std::optional<Plan> TestOrders::plan(const CoordCommand& command, Now now) {
  now_ = now;
  Plan plan;
  auto result = std::visit(
      [&](const auto& order) -> Ended {
        if constexpr (requires { carry_out(order, plan); })
          return carry_out(order, plan);
        else
          return std::nullopt;
      },
      command.order);
  if (!result) return std::nullopt;
  if (!plan.needs_ids)
    plan.events.push_back(
        coord_event::CommandDone{command.id, result->status, result->text, std::move(result->body)});
  return plan;
}

TestOrders::Ended TestOrders::carry_out(const SetRules& order, Plan&) {
  if (!config_.test_mode && order.rules != common_part(order.rules))  // TEST-13
    return Result{409, "some of these rules are for test mode only"};
  if (!is_domain(order.rules.magic_dns_domain)) return Result{400, "magic_dns_domain is not a domain"};
  for (const auto& [tag, owners] : order.rules.tag_owners.value_or(TagOwners{}))
    if (!is_tag(tag) ||
        !std::all_of(owners.begin(), owners.end(), [](const auto& one) { return is_tag(one); }))
      return Result{400, "a tag is tag: and a letter, then letters, digits and dashes"};
  config_.rules = order.rules;
  while (config_.rules.login_url.ends_with('/')) config_.rules.login_url.pop_back();
  fan_out_.rules_changed(now_);
  return Result{};
}

// TEST-14
TestOrders::Ended TestOrders::carry_out(const PutNode& order, Plan& plan) {
  auto read = decode_copy<Node>(as_bytes(order.json));
  // A message may be null, a node to be put must be there.
  if (!read || order.json.find('{') > order.json.find_first_not_of(" \t\r\n"))
    return Result{400, "not a Node"};
  Node& node = *read;
  if (order.key.is_zero() || (!node.key.is_zero() && node.key != order.key))
    return Result{400, "the node has another key"};
  if (node.id > max_node_id) return Result{400, "the ID is too large"};
  const auto may_be = [&](const std::string& tag) { return config_.test_mode ? !tag.empty() : is_tag(tag); };
  if (!std::all_of(node.tags.begin(), node.tags.end(), may_be))
    return Result{400, "a tag is tag: and a letter, then letters, digits and dashes"};
  const NodeState* known = tailnet_.find(order.key);
  NodeRecord record;
  if (known) {
    if (node.id != NodeId{} && node.id != known->record->id) return Result{400, "the ID of a node stays"};
    record = *known->record;
  } else {
    if (tailnet_.find(node.id)) return Result{409, "another node has this ID"};
    auto made = registrar_.new_node({node.machine, order.key, node.hostinfo, node.id}, plan, plan.reserved,
                                    now_.wall);
    if (!made && plan.needs_ids) return Result{};
    if (!made) return Result{503, "no address is free"};
    record = *std::move(made);
  }
  put_node(std::move(node), tailnet_, config_, now_.wall, record, plan);
  plan.writes.push_back(write_of(std::move(record), known ? known->revision : Revision{}));
  return Result{};
}

// TEST-15
TestOrders::Ended TestOrders::carry_out(const AddFakeNodes& order, Plan& plan) {
  if (order.count > max_fake_nodes) return Result{400, "too many nodes at once"};
  if (ids_.left() < order.count) {
    plan.needs_ids = order.count;
    return Result{};
  }
  Result result;
  json::Writer body(result.body);
  body.begin_object();
  body.name("keys");
  body.begin_array();
  for (unsigned i = 0; i < order.count; ++i) {
    Reserved& reserved = plan.reserved_too.emplace_back();
    auto record = registrar_.new_node(
        {random_key<MachinePublic>(entropy_), random_key<NodePublic>(entropy_), std::nullopt, {}}, plan,
        reserved, now_.wall);
    if (!record) {
      for (const Reserved& taken : plan.reserved_too) tailnet_.release(taken);
      const bool starved = plan.needs_ids != 0;  // ids that were put are not given out
      plan = {};
      if (starved) plan.needs_ids = order.count;
      return Result{503, "no address is free"};
    }
    record->disco = random_key<DiscoPublic>(entropy_);
    body.string(record->key.text());
    plan.writes.push_back(write_of(*std::move(record), Revision{}));
  }
  body.end_array();
  body.end_object();
  body.flush();
  return result;
}

// TEST-11
TestOrders::Ended TestOrders::carry_out(const CompleteLogin& order, Plan&) {
  if (!config_.test_mode) return std::nullopt;
  switch (logins_.state(order.id)) {
    case TestLogins::State::none:
      return Result{404, "no such login"};
    case TestLogins::State::failed:
      return Result{409, "the login has failed"};
    case TestLogins::State::open:
      logins_.complete(order.id);
      break;
    case TestLogins::State::done:
      break;
  }
  return Result{};
}

TestOrders::Ended TestOrders::carry_out(const FailLogin& order, Plan& plan) {
  if (!config_.test_mode) return std::nullopt;
  switch (logins_.state(order.id)) {
    case TestLogins::State::none:
      return Result{404, "no such login"};
    case TestLogins::State::done:
      return Result{409, "the login is completed"};
    case TestLogins::State::failed:
      return Result{409, "the login has failed"};
    case TestLogins::State::open:
      break;
  }
  logins_.fail(order.id, order.text.empty() ? "the login was denied" : order.text, plan.events);
  return Result{};
}

// TEST-6: each would do, and an id less would be left for nodes.
TestOrders::Ended TestOrders::carry_out(const AddAuthKey&, Plan&) {
  if (!config_.test_mode) return std::nullopt;
  return Result{409, "in test mode every auth key is valid"};
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/node_orders.h"

#include <algorithm>

#include "coord/preparation.h"
#include "coord/tags.h"

namespace ts2021::coord {

using namespace coord_command;

struct NodeOrders::Result {
  int status = 200;
  std::string_view text{};
};

MachinePublic NodeOrders::lane(const CoordOrder& order) const {
  return std::visit(
      [this](const auto& of) {
        using Order = std::remove_cvref_t<decltype(of)>;
        if constexpr (requires { of.node; }) {
          if (const NodeState* state = tailnet_.find(of.node)) return state->record->machine;
        } else if constexpr (std::is_same_v<Order, CompleteLogin> || std::is_same_v<Order, FailLogin>) {
          if (const PendingLogin* login = logins_.find(of.id)) return login->machine;
        }
        return MachinePublic{};
      },
      order);
}

template <class Order>
NodeOrders::Result NodeOrders::carry_out_change(const Order& order, Plan& plan) {
  const NodeState* state = tailnet_.find(order.node);
  if (!state) return {404, "no such node"};
  NodeRecord record = *state->record;
  const Result result = change(order, record, plan.reserved);
  if (result.status == 200) plan.writes.push_back(write_of(std::move(record), state->revision));
  return result;
}

std::optional<Plan> NodeOrders::plan(const CoordCommand& command, Now now) {
  now_ = now;
  Plan plan;
  const auto result = std::visit(
      [&](const auto& order) -> std::optional<Result> {
        if constexpr (requires { carry_out(order, plan); })
          return carry_out(order, plan);
        else if constexpr (requires(NodeRecord & record) { change(order, record, plan.reserved); })
          return carry_out_change(order, plan);
        else
          return std::nullopt;
      },
      command.order);
  if (!result) return std::nullopt;
  if (!plan.needs_ids)
    plan.events.push_back(coord_event::CommandDone{command.id, result->status, result->text, {}});
  return plan;
}

NodeOrders::Result NodeOrders::change(const ApproveNode& order, NodeRecord& record, Reserved&) {
  record.authorized = order.approved;  // API-91
  return {};
}

// API-92: an expiry is soft; the node works again when it is taken back.
NodeOrders::Result NodeOrders::change(const SetExpiry& order, NodeRecord& record, Reserved&) {
  record.key_expiry = order.at;
  if (order.at && *order.at < now_.wall) record.key_expiry = now_.wall;
  return {};
}

NodeOrders::Result NodeOrders::change(const RenameNode& order, NodeRecord& record, Reserved& reserved) {
  if (order.name.empty()) {
    record.name_is_set = false;
    registrar_.name_by_host(record, reserved);
    return {};
  }
  if (!is_label(order.name)) return {400, "a name is 1 to 63 of a-z, 0-9 and dashes"};
  record.name_is_set = true;  // API-93
  if (record.given_name == order.name) return {};
  if (!tailnet_.names().take(order.name, record.id)) return {409, "another node has this name"};
  reserved.node = record.id;
  reserved.name = record.given_name = order.name;
  return {};
}

NodeOrders::Result NodeOrders::change(const SetTags& order, NodeRecord& record, Reserved&) {
  if (!std::all_of(order.tags.begin(), order.tags.end(), [](const auto& tag) { return is_tag(tag); }))
    return {400, "a tag is tag: and a letter, then letters, digits and dashes"};
  const bool alive = !record.key_expiry || *record.key_expiry > now_.wall;
  const bool was_tagged = !record.tags.empty();
  record.tags = tag_set(order.tags);
  if (!alive) return {};
  if (!record.tags.empty()) {
    record.key_expiry.reset();  // API-94
  } else if (was_tagged && config_.key_lifetime) {
    record.key_expiry = now_.wall + *config_.key_lifetime;
  }
  return {};
}

NodeOrders::Result NodeOrders::change(const ApproveRoutes& order, NodeRecord& record, Reserved&) {
  record.approved_routes.clear();
  for (const IpPrefix& route : order.routes) record.approved_routes.push_back(route.masked());
  std::sort(record.approved_routes.begin(), record.approved_routes.end());
  record.approved_routes.erase(std::unique(record.approved_routes.begin(), record.approved_routes.end()),
                               record.approved_routes.end());
  return {};
}

NodeOrders::Result NodeOrders::change(const SetCapabilities& order, NodeRecord& record, Reserved&) {
  record.capabilities = order.capabilities;
  return {};
}

// API-95: its stream learns that the key has expired and ends, peers lose it, name and addresses are free.
NodeOrders::Result NodeOrders::carry_out(const DeleteNode& order, Plan& plan) {
  const NodeState* state = tailnet_.find(order.node);
  if (!state) return {404, "no such node"};
  plan.writes.push_back({RecordKind::node, id(*state->holder), state->revision, nullptr});
  plan.events.push_back(notice(NoticeKind::removed, *state->record, "deleted by an administrator"));
  return {};
}

NodeOrders::Result NodeOrders::decide(std::string_view login, std::string_view login_name,
                                      std::string_view refusal, Plan& plan) {
  auto decision = registrar_.decide(login, login_name, refusal, fan_out_.policy(), now_);
  plan = std::move(decision.plan);
  return {decision.status, decision.text};
}

NodeOrders::Result NodeOrders::carry_out(const CompleteLogin& order, Plan& plan) {
  if (order.login_name.empty()) return {400, "this can not be a login name"};
  return decide(order.id, order.login_name, {}, plan);
}

NodeOrders::Result NodeOrders::carry_out(const FailLogin& order, Plan& plan) {
  return decide(order.id, {}, order.text, plan);
}

NodeOrders::Result NodeOrders::carry_out(const AddAuthKey& order, Plan& plan) {
  const PresetAuthKey& key = order.key;
  // Clients cut off what stands behind this mark, so that nobody could use such a key.
  if (key.secret.empty() || key.secret.find("--TL") != std::string::npos)
    return {400, "this can not be an auth key"};
  if (!std::all_of(key.tags.begin(), key.tags.end(), [](const auto& tag) { return is_tag(tag); }))
    return {400, "a tag is tag: and a letter, then letters, digits and dashes"};
  const std::string owner = owner_of(config_, key);
  if (!is_login_name(owner) || owner == tagged_devices_login) return {400, "this can not be a login name"};
  if (tailnet_.auth_key(auth_key_digest(key.secret))) return {409, "this auth key exists"};
  if (ids_.left() == 0) {
    plan.needs_ids = 1;
    return {};
  }
  const UserRecord user = registrar_.user_of(owner, now_.wall, plan);
  AuthKeyRecord record = record_of(key, user.id, now_.wall);
  record.id = ids_.take();
  plan.writes.push_back(write_of(std::move(record), Revision{}));
  return {};
}

// Its nodes stay.
NodeOrders::Result NodeOrders::carry_out(const RevokeAuthKey& order, Plan& plan) {
  const auto* key = tailnet_.auth_key(auth_key_digest(order.secret));
  if (!key) return {404, "no such auth key"};
  AuthKeyRecord record = *key->record;
  record.revoked = true;
  plan.writes.push_back(write_of(std::move(record), key->revision));
  return {};
}

}  // namespace ts2021::coord

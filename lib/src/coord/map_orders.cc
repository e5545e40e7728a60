// SPDX-License-Identifier: BSD-3-Clause
#include "coord/map_orders.h"

namespace ts2021::coord {
namespace {

// How long a page waits for a node whose poll has just ended.
constexpr std::chrono::seconds browser_patience{60};

using Done = coord_event::CommandDone;

struct MapOrders {
  CommandId id{};
  CoordinatorConfig& config;
  const Tailnet& tailnet;
  FanOut& fan_out;
  Now now{};

  [[nodiscard]] Done done(int status = 200, std::string_view text = {}) const {
    return {id, status, text, {}};
  }

  std::optional<Done> operator()(const coord_command::SetPolicy& order) const {
    if (!order.policy) return done(400, "there is no policy");
    fan_out.set_policy(order.policy);
    return done();
  }
  std::optional<Done> operator()(const coord_command::SetDERPMap& order) const {
    config.derp_map = order.derp_map;
    fan_out.derp_map_changed();
    return done();
  }
  std::optional<Done> operator()(const coord_command::SetDns& order) const {
    if (config.dns == order.dns) return done();
    config.dns = order.dns;
    fan_out.dns_changed();
    return done();
  }
  std::optional<Done> operator()(const coord_command::SetMessages& order) const {
    if (order.node != NodeId{} && !tailnet.find(order.node)) return done(404, "no such node");
    for (const auto& [name, message] : order.messages)
      if (message && (name.empty() || name == "*")) return done(400, "a message must have a name");
    fan_out.set_messages(order.node, order.messages);
    return done();
  }
  std::optional<Done> operator()(const coord_command::SetClientVersion& order) const {
    fan_out.set_client_version(order.version);
    return done();
  }
  std::optional<Done> operator()(const coord_command::SetDialPlan& order) const {
    fan_out.set_dial_plan(order.plan);
    return done();
  }
  std::optional<Done> operator()(const coord_command::OpenBrowser& order) const {
    const NodeState* state = tailnet.find(order.node);
    if (!state) return done(404, "no such node");
    if (!state->online) return done(409, "the node is offline");
    if (order.url.empty()) return done(400, "there is no address");
    if (!fan_out.push(order.node, BrowserUrl{order.url}, now.mono + browser_patience))
      return done(409, "too much waits for the node already");
    return done();
  }
  std::optional<Done> operator()(const auto&) const { return std::nullopt; }
};

}  // namespace

std::optional<Done> carry_out(const CoordCommand& command, CoordinatorConfig& config, const Tailnet& tailnet,
                              FanOut& fan_out, Now now) {
  return std::visit(MapOrders{command.id, config, tailnet, fan_out, now}, command.order);
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/commands.h"

#include "coord/map_orders.h"
#include "coord/override_orders.h"

namespace ts2021::coord {
namespace {

Plan done(const CoordCommand& command, int status = 200, std::string_view text = {}) {
  Plan plan;
  plan.events.push_back(coord_event::CommandDone{command.id, status, text, {}});
  return plan;
}

}  // namespace

// Done when the node has answered.
template <class Order>
Plan Commands::call_back(const CoordCommand& command, const Order& order, Now now) {
  const NodeState* node = tailnet_.find(order.node);
  if (!node) return done(command, 404, "no such node");
  Callbacks::Refusal why;
  auto begun = callbacks_.begin(command.id, order, *node->record, now, why);
  if (!begun) return done(command, why.status, why.text);
  if (fan_out_.push(order.node, std::move(begun->request), begun->until)) return {};
  callbacks_.forget(command.id);
  return done(command, 503, "too much waits for the node");
}

Plan Commands::plan(const CoordCommand& command, Now now) {
  if (const auto* ping = std::get_if<coord_command::Ping>(&command.order))
    return call_back(command, *ping, now);
  if (const auto* call = std::get_if<coord_command::CallNode>(&command.order))
    return call_back(command, *call, now);
  auto done_at_once = carry_out(command, config_, tailnet_, fan_out_, now);
  if (!done_at_once) done_at_once = lay_over(command, config_, tailnet_, fan_out_);
  if (done_at_once) {
    Plan plan;
    plan.events.push_back(std::move(*done_at_once));
    return plan;
  }
  return done(command, 501, "not available");
}

}  // namespace ts2021::coord

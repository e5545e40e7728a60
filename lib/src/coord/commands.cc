// SPDX-License-Identifier: BSD-3-Clause
#include "coord/commands.h"

namespace ts2021::coord {
namespace {

Plan done(const CoordCommand& command, int status = 200, std::string_view text = {}) {
  Plan plan;
  plan.events.push_back(coord_event::CommandDone{command.id, status, text, {}});
  return plan;
}

}  // namespace

MachinePublic Commands::lane(const CoordOrder& order) const {
  return std::visit(
      [this](const auto& of) {
        if constexpr (requires { of.node; })
          if (const NodeState* state = tailnet_.find(of.node)) return state->record->machine;
        return MachinePublic{};
      },
      order);
}

Plan Commands::plan(const CoordCommand& command, Now) {
  if (const auto* policy = std::get_if<coord_command::SetPolicy>(&command.order)) {
    fan_out_.set_policy(policy->policy);
  } else if (const auto* derp = std::get_if<coord_command::SetDERPMap>(&command.order)) {
    config_.derp_map = derp->derp_map;
    fan_out_.derp_map_changed();
  } else {
    return done(command, 501, "not available");
  }
  return done(command);
}

}  // namespace ts2021::coord

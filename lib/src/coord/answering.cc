// SPDX-License-Identifier: BSD-3-Clause
#include "coord/answering.h"

namespace ts2021::coord {
namespace {

Plan refused(const coord_input::Ask& ask, int status, std::string_view text) {
  Plan plan;
  plan.events.push_back(coord_event::Refused{ask.session, ask.call, status, text, {}});
  return plan;
}

Plan answered(const coord_input::Ask& ask, AnswerValue value) {
  Plan plan;
  plan.events.push_back(coord_event::Answer{ask.session, ask.call, std::move(value)});
  return plan;
}

}  // namespace

MachinePublic Answering::lane(const coord_input::Ask& ask) const {
  return ask.machine.value_or(MachinePublic());
}

Plan Answering::plan(const coord_input::Ask& ask, Now) {
  if (const auto* identify = std::get_if<question::Identify>(&ask.question)) {
    const NodeState* state = tailnet_.find(identify->node_key);
    if (!state || !ask.machine || state->record->machine != *ask.machine)
      return refused(ask, 404, "node not found");
    const UserRecord* user = tailnet_.user(state->record->user);
    return answered(ask, answer::Identity{state->holder, state->record, user ? *user : UserRecord{},
                                          state->record->given_name + "." + config_.base_domain});
  }
  return refused(ask, 501, "not available");
}

}  // namespace ts2021::coord

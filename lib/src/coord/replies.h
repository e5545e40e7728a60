// SPDX-License-Identifier: BSD-3-Clause
// The plans of questions that need no write.
#pragma once

#include <string_view>
#include <utility>

#include "coord/plan.h"
#include "coord/poll_key.h"
#include "ts2021/coord/input.h"

namespace ts2021::coord {

[[nodiscard]] inline CoordEvent refusal_event(PollKey to, int status, std::string_view text) {
  return coord_event::Refused{to.session, to.call, status, text, {}};
}
[[nodiscard]] inline CoordEvent answer_event(PollKey to, AnswerValue value) {
  return coord_event::Answer{to.session, to.call, std::move(value)};
}
[[nodiscard]] inline PollKey key_of(const coord_input::Ask& ask) { return {ask.session, ask.call}; }

[[nodiscard]] inline Plan refused(const coord_input::Ask& ask, int status, std::string_view text) {
  Plan plan;
  plan.events.push_back(refusal_event(key_of(ask), status, text));
  return plan;
}
[[nodiscard]] inline Plan answered(const coord_input::Ask& ask, AnswerValue value) {
  Plan plan;
  plan.events.push_back(answer_event(key_of(ask), std::move(value)));
  return plan;
}
// The answer comes later.
[[nodiscard]] inline Plan held() { return {}; }

}  // namespace ts2021::coord

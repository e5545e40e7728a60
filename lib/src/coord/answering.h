// SPDX-License-Identifier: BSD-3-Clause
// Answers what endpoints ask beside register and map requests.
#pragma once

#include "coord/plan.h"
#include "ts2021/coord/config.h"
#include "ts2021/coord/input.h"

namespace ts2021::coord {

class Answering {
 public:
  Answering(const Tailnet& tailnet, const CoordinatorConfig& config) : tailnet_(tailnet), config_(config) {}

  // In whose lane a question with writes waits for its turn; zero: no machine's.
  [[nodiscard]] MachinePublic lane(const coord_input::Ask& ask) const;
  // The answer is among the events of the plan. A plan with writes is thrown away and made again in the lane.
  [[nodiscard]] Plan plan(const coord_input::Ask& ask, Now now);

 private:
  const Tailnet& tailnet_;
  const CoordinatorConfig& config_;
};

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// Carries out what the owner of the tailnet orders.
#pragma once

#include "coord/callbacks.h"
#include "coord/fan_out.h"
#include "coord/plan.h"
#include "ts2021/coord/command.h"

namespace ts2021::coord {

class Commands {
 public:
  Commands(Tailnet& tailnet, CoordinatorConfig& config, FanOut& fan_out, Callbacks& callbacks)
      : tailnet_(tailnet), config_(config), fan_out_(fan_out), callbacks_(callbacks) {}

  // CommandDone is among the events of the plan, or comes later by itself.
  [[nodiscard]] Plan plan(const CoordCommand& command, Now now);

 private:
  template <class Order>
  Plan call_back(const CoordCommand& command, const Order& order, Now now);

  Tailnet& tailnet_;
  CoordinatorConfig& config_;
  FanOut& fan_out_;
  Callbacks& callbacks_;
};

}  // namespace ts2021::coord

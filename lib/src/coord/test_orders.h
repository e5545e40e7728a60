// SPDX-License-Identifier: BSD-3-Clause
// Carries out orders of tests that change rules and records, and what logins mean in test mode.
#pragma once

#include <optional>

#include "coord/fan_out.h"
#include "coord/plan.h"
#include "coord/test_registrar.h"
#include "ts2021/coord/command.h"

namespace ts2021::coord {

class TestOrders {
 public:
  TestOrders(Tailnet& tailnet, Entropy& entropy, CoordinatorConfig& config, FanOut& fan_out, IdBlock& ids,
             TestRegistrar& registrar, TestLogins& logins)
      : tailnet_(tailnet),
        entropy_(entropy),
        config_(config),
        fan_out_(fan_out),
        ids_(ids),
        registrar_(registrar),
        logins_(logins) {}

  // In whose lane it is carried out; none: the order is not of this kind.
  [[nodiscard]] std::optional<MachinePublic> lane(const CoordOrder& order) const;
  // CommandDone is among the events of the plan. None: the order is not of this kind.
  [[nodiscard]] std::optional<Plan> plan(const CoordCommand& command, Now now);

 private:
  struct Result;  // how it ends
  using Ended = std::optional<Result>;

  Ended carry_out(const coord_command::SetRules& order, Plan& plan);
  Ended carry_out(const coord_command::PutNode& order, Plan& plan);
  Ended carry_out(const coord_command::AddFakeNodes& order, Plan& plan);
  // Of test mode only.
  Ended carry_out(const coord_command::CompleteLogin& order, Plan& plan);
  Ended carry_out(const coord_command::FailLogin& order, Plan& plan);
  Ended carry_out(const coord_command::AddAuthKey& order, Plan& plan);

  Tailnet& tailnet_;
  Entropy& entropy_;
  CoordinatorConfig& config_;
  FanOut& fan_out_;
  IdBlock& ids_;
  TestRegistrar& registrar_;
  TestLogins& logins_;
  Now now_{};
};

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// Carries out orders that concern nodes, logins and auth keys.
#pragma once

#include <optional>
#include <string_view>

#include "coord/fan_out.h"
#include "coord/logins.h"
#include "coord/plan.h"
#include "coord/registrar.h"
#include "ts2021/coord/command.h"

namespace ts2021::coord {

class NodeOrders {
 public:
  NodeOrders(Tailnet& tailnet, const CoordinatorConfig& config, IdBlock& ids, const Logins& logins,
             Registrar& registrar, const FanOut& fan_out)
      : tailnet_(tailnet),
        config_(config),
        ids_(ids),
        logins_(logins),
        registrar_(registrar),
        fan_out_(fan_out) {}

  // In whose lane it is carried out; zero: no machine's.
  [[nodiscard]] MachinePublic lane(const CoordOrder& order) const;
  // CommandDone is among the events of the plan. None: the order is not of this kind.
  [[nodiscard]] std::optional<Plan> plan(const CoordCommand& command, Now now);

 private:
  struct Result;  // how it ends

  // One per order; what changes one node's record has a change() instead.
  Result carry_out(const coord_command::CompleteLogin& order, Plan& plan);
  Result carry_out(const coord_command::FailLogin& order, Plan& plan);
  Result carry_out(const coord_command::DeleteNode& order, Plan& plan);
  Result carry_out(const coord_command::AddAuthKey& order, Plan& plan);
  Result carry_out(const coord_command::RevokeAuthKey& order, Plan& plan);
  template <class Order>
  Result carry_out_change(const Order& order, Plan& plan);

  Result change(const coord_command::ApproveNode& order, NodeRecord& record, Reserved& reserved);
  Result change(const coord_command::SetExpiry& order, NodeRecord& record, Reserved& reserved);
  Result change(const coord_command::RenameNode& order, NodeRecord& record, Reserved& reserved);
  Result change(const coord_command::SetTags& order, NodeRecord& record, Reserved& reserved);
  Result change(const coord_command::ApproveRoutes& order, NodeRecord& record, Reserved& reserved);
  Result change(const coord_command::SetCapabilities& order, NodeRecord& record, Reserved& reserved);

  Result decide(std::string_view login, std::string_view login_name, std::string_view refusal, Plan& plan);

  Tailnet& tailnet_;
  const CoordinatorConfig& config_;
  IdBlock& ids_;
  const Logins& logins_;
  Registrar& registrar_;
  const FanOut& fan_out_;
  Now now_{};
};

}  // namespace ts2021::coord

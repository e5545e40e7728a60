// SPDX-License-Identifier: BSD-3-Clause
// Carries out what the table of registration in test mode decides.
#pragma once

#include <optional>
#include <string_view>

#include "coord/registrar.h"
#include "coord/test_logins.h"
#include "coord/test_registration.h"

namespace ts2021::coord {

class TestRegistrar {
 public:
  TestRegistrar(Tailnet& tailnet, const CoordinatorConfig& config, Registrar& registrar, TestLogins& logins)
      : tailnet_(tailnet), config_(config), registrar_(registrar), logins_(logins) {}

  // A held followup has no answer among the events: TestLogins has it.
  [[nodiscard]] Plan plan(const Registrar::Call& call);
  [[nodiscard]] test_registration::Facts facts(const Registrar::Call& call) const;

  // A new node of this key, with its owner, who is made by the plan if new. None: `plan` needs ids, or no
  // address is free when it does not.
  struct Newcomer {
    MachinePublic machine;
    NodePublic key;
    std::optional<Hostinfo> hostinfo;  // none: nobody runs it
    NodeId id{};                       // 0: the next
  };
  [[nodiscard]] std::optional<NodeRecord> new_node(Newcomer newcomer, Plan& plan, Reserved& reserved,
                                                   WallTime now);

 private:
  Plan create(const Registrar::Call& call, bool ask);
  Plan ask(const Registrar::Call& call, const NodeState& node);
  Plan move(const Registrar::Call& call, const NodeState& node);
  void add_auth_url(const Registrar::Call& call, Plan& plan, RegisterResponse& reply);
  [[nodiscard]] RegisterResponse success_of(const NodeRecord& record) const;

  Tailnet& tailnet_;
  const CoordinatorConfig& config_;
  Registrar& registrar_;
  TestLogins& logins_;
};

}  // namespace ts2021::coord

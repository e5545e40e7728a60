// SPDX-License-Identifier: BSD-3-Clause
#include "coord/answering.h"

#include <algorithm>
#include <utility>

namespace ts2021::coord {

Answering::Answering(const Tailnet& tailnet, const CoordinatorConfig& config, LockDesk& lock,
                     const FanOut& fan_out, Callbacks& callbacks, const Logins& logins, Registrar& registrar,
                     TestLogins& test_logins, Entropy& entropy)
    : tailnet_(tailnet),
      config_(config),
      lock_(lock),
      fan_out_(fan_out),
      callbacks_(callbacks),
      logins_(logins),
      registrar_(registrar),
      test_logins_(test_logins),
      notes_(tailnet, config, fan_out),
      approvals_(tailnet, config, entropy, [&fan_out]() -> const Policy& { return fan_out.policy(); }) {}

MachinePublic Answering::lane(const coord_input::Ask& ask) const {
  if (const auto* decision = std::get_if<question::DecidePending>(&ask.question))
    if (const PendingLogin* login = logins_.find(decision->id)) return login->machine;
  return ask.machine.value_or(MachinePublic());
}

Plan Answering::plan(const coord_input::Ask& ask, Now now) {
  return std::visit(
      [&](const auto& asked) -> Plan {
        if constexpr (requires { on(ask, asked, now); })
          return on(ask, asked, now);
        else if constexpr (requires { approvals_.plan(ask, asked, now); })
          return approvals_.plan(ask, asked, now);
        else if constexpr (requires { notes_.plan(ask, asked, now); })
          return notes_.plan(ask, asked, now);
        else if constexpr (requires { notes_.plan(ask, asked); })
          return notes_.plan(ask, asked);
        else
          return lock_.plan(ask, asked, now);
      },
      ask.question);
}

// API-142
Plan Answering::on(const coord_input::Ask& ask, const question::Identify& asked, Now) {
  const NodeState* state = tailnet_.find(asked.node_key);
  if (!state || !ask.machine || state->record->machine != *ask.machine)
    return refused(ask, 404, "node not found");
  const UserRecord* user = tailnet_.user(state->record->user);
  return answered(ask,
                  answer::Identity{state->holder, state->record, user ? *user : UserRecord{},
                                   state->record->given_name + "." + config_.base_domain, config_.tailnet});
}

Plan Answering::on(const coord_input::Ask& ask, const question::FindPending& asked, Now) {
  if (const PendingLogin* login = logins_.find(asked.id)) {
    const auto& hostinfo = login->request->hostinfo;
    return answered(ask, answer::Pending{login->id,
                                         PendingKind::login,
                                         hostinfo ? hostinfo->hostname : "",
                                         hostinfo ? hostinfo->os : "",
                                         login->request->node_key,
                                         login->machine,
                                         {}});
  }
  if (test_logins_.state(asked.id) == TestLogins::State::open) {
    const NodePublic key = test_logins_.key(asked.id);
    const NodeState* node = tailnet_.find(key);  // TEST-9; none while the key is to take the place of another
    const Hostinfo unknown;
    const Hostinfo& hostinfo = node && node->record->hostinfo ? *node->record->hostinfo : unknown;
    return answered(ask, answer::Pending{asked.id,
                                         PendingKind::login,
                                         hostinfo.hostname,
                                         hostinfo.os,
                                         key,
                                         test_logins_.machine(asked.id),
                                         {}});
  }
  if (auto pending = approvals_.find(asked.id)) return answered(ask, *std::move(pending));
  return refused(ask, 404, "nothing waits here");
}

Plan Answering::on(const coord_input::Ask& ask, const question::DecidePending& asked, Now now) {
  if (test_logins_.state(asked.id) == TestLogins::State::open) return decide_test_login(ask, asked);
  if (!logins_.find(asked.id)) return approvals_.plan(ask, asked, now);
  auto decision = registrar_.decide(asked.id, asked.login_name, asked.refusal, fan_out_.policy(), now);
  Plan said =
      decision.status == 200 ? answered(ask, answer::Done{}) : refused(ask, decision.status, decision.text);
  if (!decision.plan.needs_ids)
    for (CoordEvent& event : said.events) decision.plan.events.push_back(std::move(event));
  return std::move(decision.plan);
}

// TEST-3, TEST-11: whoever it is, the node has a user already.
Plan Answering::decide_test_login(const coord_input::Ask& ask, const question::DecidePending& asked) {
  Plan plan = answered(ask, answer::Done{});
  if (asked.login_name.empty())
    test_logins_.fail(asked.id, asked.refusal, plan.events);
  else
    test_logins_.complete(asked.id);
  return plan;
}

// API-143: an expired key still reaches the others by relay, to log in again.
Plan Answering::on(const coord_input::Ask& ask, const question::AdmitToRelay& asked, Now) {
  return answered(ask, answer::Admission{tailnet_.find(asked.node_key) != nullptr});
}

Plan Answering::on(const coord_input::Ask& ask, const question::FindRelays&, Now) {
  return answered(ask, answer::Relays{config_.derp_map});
}

Plan Answering::on(const coord_input::Ask& ask, const question::Deliver& asked, Now) {
  std::vector<CoordEvent> events;
  if (!callbacks_.deliver(asked, ask.machine, events)) return refused(ask, 404, "nobody waits for this");
  Plan plan = answered(ask, answer::Done{});
  for (CoordEvent& event : events) plan.events.push_back(std::move(event));
  return plan;
}

void Answering::advance(Now now, std::vector<CoordEvent>& events) {
  approvals_.advance(now, events);
  callbacks_.advance(now.mono, events);
}

std::optional<Instant> Answering::next_timeout() const {
  const auto first = approvals_.next_timeout(), second = callbacks_.next_timeout();
  return first && second ? std::min(*first, *second) : first ? first : second;
}

}  // namespace ts2021::coord

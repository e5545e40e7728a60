// SPDX-License-Identifier: BSD-3-Clause
// Answers what endpoints ask beside register and map requests.
#pragma once

#include <vector>

#include "coord/approvals.h"
#include "coord/callbacks.h"
#include "coord/fan_out.h"
#include "coord/lock_desk.h"
#include "coord/logins.h"
#include "coord/node_notes.h"
#include "coord/registrar.h"
#include "coord/replies.h"
#include "coord/test_logins.h"
#include "ts2021/coord/config.h"
#include "ts2021/coord/input.h"

namespace ts2021::coord {

class Answering {
 public:
  Answering(const Tailnet& tailnet, const CoordinatorConfig& config, LockDesk& lock, const FanOut& fan_out,
            Callbacks& callbacks, const Logins& logins, Registrar& registrar, TestLogins& test_logins,
            Entropy& entropy);

  // In whose lane a question with writes waits for its turn; zero: no machine's.
  [[nodiscard]] MachinePublic lane(const coord_input::Ask& ask) const;
  // The answer is among the events of the plan, or the question is held and its answer comes out of
  // advance() or another's plan. A plan with writes is thrown away and made again in the lane.
  [[nodiscard]] Plan plan(const coord_input::Ask& ask, Now now);

  // Nobody waits for the answer any more.
  void forget(PollKey key) { approvals_.forget(key); }
  void forget(SessionId session) { approvals_.forget(session); }
  // What was held for too long is answered.
  void advance(Now now, std::vector<CoordEvent>& events);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  [[nodiscard]] const NodeNotes& notes() const { return notes_; }

 private:
  Plan on(const coord_input::Ask& ask, const question::Identify& asked, Now now);
  Plan on(const coord_input::Ask& ask, const question::FindPending& asked, Now now);
  Plan on(const coord_input::Ask& ask, const question::DecidePending& asked, Now now);
  Plan decide_test_login(const coord_input::Ask& ask, const question::DecidePending& asked);
  Plan on(const coord_input::Ask& ask, const question::AdmitToRelay& asked, Now now);
  Plan on(const coord_input::Ask& ask, const question::FindRelays& asked, Now now);
  Plan on(const coord_input::Ask& ask, const question::Deliver& asked, Now now);

  const Tailnet& tailnet_;
  const CoordinatorConfig& config_;
  LockDesk& lock_;
  const FanOut& fan_out_;
  Callbacks& callbacks_;
  const Logins& logins_;
  Registrar& registrar_;
  TestLogins& test_logins_;
  NodeNotes notes_;
  Approvals approvals_;
};

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// All that a desk knows, and the ways out of it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "admin/alt_streams.h"
#include "admin/callbacks.h"
#include "admin/causes.h"
#include "admin/documents.h"
#include "admin/events.h"
#include "admin/frames.h"
#include "admin/holds.h"
#include "admin/logins.h"
#include "admin/raw_frames.h"
#include "admin/reply.h"
#include "admin/timeline.h"
#include "ts2021/admin/desk.h"

namespace ts2021::admin {

// The switches of PATCH /admin/config that are not the coordinator's.
struct OwnSwitches {
  bool verbose = false;
  std::string set_dns_error;  // non-empty: every set-dns fails with it
};

// The next `count` register requests are refused.
struct RegisterLimit {
  std::int64_t count = 0;
  std::string retry_after, message;
};

// Is asked whenever something has changed, and with `over` at the end of its time: then it must answer.
using Attempt = std::function<Outcome(bool over)>;
// What a call answers once its order is carried out.
using Then = std::function<Reply(const coord_event::CommandDone&)>;
// Who makes the answer of what the coordinator refuses: the desk, in the coordinator's words, or Then.
enum class Judge : std::uint8_t { desk, then };

struct State {
  State(DeskConfig with, const Coordinator& of, Entropy& from)
      : config(std::move(with)), coordinator(&of), entropy(from) {}

  // What a reset keeps.
  const DeskConfig config;
  const Coordinator* coordinator;
  Entropy& entropy;
  Now now{};
  Events events;
  Frames frames;
  Causes causes;
  Timeline timeline;
  std::uint64_t unhandled = 0;
  std::shared_ptr<const FaultBook> faults = config.faults;

  // What a reset forgets.
  struct Passing {
    OwnSwitches own;
    Documents documents;
    Holds holds;
    RawFrames raw_frames;
    AltStreams alt_streams;
    Callbacks callbacks;
    Logins logins;
    std::optional<RegisterLimit> register_limit;
    std::string first_map_patch;  // JSON; empty: none
    bool alt_map = false;
  };
  Passing passing;

  // Ways out.
  std::deque<CoordInput> inputs;
  std::deque<CoordEvent> coord_events;
  std::deque<CoordCommand> commands;
  std::deque<std::pair<CallId, Reply>> replies;
  std::deque<Task> tasks;

  // An answer to a call whose client is still there.
  void answer(CallId call, Reply reply);
  // Asks at once, then again and again.
  Outcome wait(CallId call, Instant::duration patience, Attempt attempt);
  // Answers `call`, if any, when the coordinator has done it.
  void order(std::optional<CallId> call, bool wake, CoordOrder order, Then then, Judge judge = Judge::desk);
  // The same with the rules as `change` makes them; changes come one after the other, each on top of the
  // last.
  void change_rules(std::optional<CallId> call, bool wake, std::function<void(Rules&)> change, Then then);
  void ask_program(CallId call, std::variant<task::Reset, task::SetClock, task::AdvanceClock> what);

  // Calls that wait look again.
  void stir() { stirred = true; }
  void settle_waiting();

  // Of calls.
  struct Waiting {
    CallId call{};
    Instant until{};
    Attempt attempt;
  };
  struct Ordered {
    std::optional<CallId> call;
    Cause cause;
    Then then;
    Judge judge{};
  };
  struct RulesChange {
    std::optional<CallId> call;
    bool wake = true;
    std::function<void(Rules&)> change;
    Then then;
  };
  std::set<CallId> open_calls;
  std::list<Waiting> waiting;
  std::map<CommandId, Ordered> ordered;
  std::deque<RulesChange> rules_changes;  // the first is under way
  struct Asked {
    CallId call{};
    bool reset = false;
  };
  std::map<TaskId, Asked> asked;
  std::uint64_t last_command = 0, last_task = 0;
  bool stirred = false;

  // False: the command is not the desk's.
  bool carried_out(const coord_event::CommandDone& done);
  void start_rules_change();
  // Nothing of the old tailnet is left; who waits for its coordinator is told so.
  void forget(const Coordinator& fresh);

  // The node's base URL, for pages and logins.
  [[nodiscard]] std::string base_url() const;
};

}  // namespace ts2021::admin

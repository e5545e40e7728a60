// SPDX-License-Identifier: BSD-3-Clause
// What coordinates, on one thread: the store, the coordinator, and in a server for tests the admin desk in
// front of it and its own time.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "store/memory_store.h"
#include "ts2021/admin/desk.h"
#include "ts2021/admin/fault_filter.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/small.h"
#include "ts2021d/coord_clock.h"
#include "ts2021d/fault_board.h"
#include "ts2021d/randomness.h"

namespace ts2021::app {

class Coordination {
 public:
  struct Options {
    CoordinatorConfig config;
    std::shared_ptr<const Policy> policy;
    std::optional<ClientVersion> client_version{};  // that nodes are told of
    Randomness randomness{};
    bool virtual_clock = false;
    std::optional<admin::DeskConfig> desk{};  // none: there is no admin API
    FaultBoard* faults = nullptr;             // null: there are none
  };
  explicit Coordination(Options options);

  void start();

  // In; then pump(), which works until nothing moves.
  void handle(const CoordInput& input);
  void handle(admin::Unrouted request);
  void handle(admin::Request request);
  void cancel(admin::CallId call);
  void order(CoordOrder order);
  void pump();

  // Out, after pump().
  [[nodiscard]] std::optional<CoordEvent> next_event();
  [[nodiscard]] std::optional<admin::Answer> next_answer();
  // In the system's time; when it has come, call pump().
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // A test wants a fresh state: the caller ends all sessions and calls reset(). Until then no request of the
  // admin API must come in, and after it no input of the old sessions.
  [[nodiscard]] bool wants_reset() const;
  void reset();

 private:
  void open();
  bool drain();
  bool drain_desk();
  void admit(const CoordInput& input);  // past the faults
  void tell(CoordEvent event);
  void take_faults();
  void settle();
  void work();  // on the foremost task
  bool advance();
  void finish_task(int status, std::string text = {});
  [[nodiscard]] Now desk_now() const;

  const Options options_;
  CoordClock clock_;
  const std::unique_ptr<Entropy> desk_entropy_;
  // Of one state, from the start or a reset to the next.
  std::unique_ptr<Entropy> entropy_;
  std::optional<MemoryStore> store_;
  std::optional<Coordinator> coordinator_;
  std::optional<admin::Desk> desk_;
  std::optional<admin::FaultFilter> filter_;
  std::uint64_t last_command_ = 0;
  std::deque<CoordEvent> events_;
  std::deque<admin::Answer> answers_;
  std::deque<admin::Task> tasks_;        // one at a time
  std::optional<Instant> advancing_to_;  // virtual time; the foremost task waits for it
};

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// The admin desk of a server for tests: stands between connections and the coordinator, sees all that passes,
// holds, replaces and adds what a test asks for over HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ts2021/admin/fault.h"
#include "ts2021/base/entropy.h"
#include "ts2021/base/time.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/http/message.h"
#include "ts2021/http/route.h"
#include "ts2021/msg/capability.h"

namespace ts2021::admin {

enum class CallId : std::uint64_t {};  // one admin request, named by the caller

struct Request {
  CallId call{};
  RouteId route{};                // of routes()
  std::vector<std::string> args;  // of the pattern, percent-decoded
  std::string query;              // undecoded, without the question mark
  std::string body;
};

struct Header {
  std::string name, value;
};
struct Answer {
  CallId call{};
  int status = 200;
  std::string content_type;  // empty: no body
  std::vector<Header> headers;
  std::string body;
};

// A request to a path that is nobody's, as the program saw it.
struct Unrouted {
  std::optional<MachinePublic> machine;
  std::string method, path;
  bool inside = false;  // Noise
};

// What the desk can't do itself and asks of the program; each is answered by done().
namespace task {
// Ends all sessions, forgets everything that is stored and starts the coordinator again.
struct Reset {
  bool keys = false;  // new server keys, too
};
// Of the coordinator's clock, where it is virtual; else 409.
struct SetClock {
  WallTime wall;
};
struct AdvanceClock {
  Instant::duration by{};
};
}  // namespace task
enum class TaskId : std::uint64_t {};
struct Task {
  TaskId id{};
  std::variant<task::Reset, task::SetClock, task::AdvanceClock> what;
};

struct DeskConfig {
  std::string base_url;  // where nodes find the server: GET /admin/config and approval URLs
  bool test_mode = false;
  bool virtual_clock = false;
  std::string token;  // bearer token; empty: none (checked by the program before handle())
  std::shared_ptr<const FaultBook> faults{};  // from the start; null: none
};

// Belongs to the coordinator's thread. The caller pumps, until nothing moves:
//
//   connections -> handle(CoordInput) -> next_input() -> coordinator
//   coordinator -> handle(CoordEvent) -> next_event() -> connections
//   admin listener -> handle(Request) -> next_command() -> coordinator, next_answer() -> admin listener
//   next_task() -> done()
//
// `now.mono` is the system's, by which calls wait; `now.wall` is what the coordinator's clock says.
//
// A MapFrame without pieces is the head of an answer alone; it is taken like any other.
//
// Every CommandDone of the coordinator comes here; those of other commands than the desk's come out of
// next_event() again. The desk's command ids have their highest bit set.
class Desk {
 public:
  // The coordinator must outlive the desk, or be replaced by a Reset.
  Desk(DeskConfig config, const Coordinator& coordinator, Entropy& entropy);
  ~Desk();

  // The calls of the admin listener; they live for ever. What matches none is 404 or 405 by the listener.
  [[nodiscard]] static std::span<const Route> routes() noexcept;
  // The page for people: it says nothing of any node and goes without the token.
  [[nodiscard]] static std::span<const std::string_view> open_paths() noexcept;
  // The description that GET /admin/openapi.json answers.
  [[nodiscard]] static std::string openapi();

  void handle(CoordInput input, Now now);
  void handle(CoordEvent event, Now now);
  void handle(Unrouted request, Now now);
  [[nodiscard]] std::optional<CoordInput> next_input();
  [[nodiscard]] std::optional<CoordEvent> next_event();
  [[nodiscard]] std::optional<CoordCommand> next_command();

  void handle(Request request, Now now);
  void cancel(CallId call);  // its client has gone; what it was not told stays for the next
  [[nodiscard]] std::optional<Answer> next_answer();
  [[nodiscard]] std::optional<Task> next_task();
  // Reset: all sessions are gone, `coordinator` is the new one.
  void done(TaskId task, int status, std::string text, const Coordinator& coordinator, Now now);

  // The faults that are in force; a change is to be carried out before the next answer leaves.
  [[nodiscard]] const std::shared_ptr<const FaultBook>& faults() const noexcept;

  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021::admin

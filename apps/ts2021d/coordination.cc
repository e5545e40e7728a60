// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/coordination.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <variant>

#include "ts2021/coord/policy.h"

namespace ts2021::app {
namespace {

// Deadlines of virtual time that are served before the loop has its turn.
constexpr int deadlines_per_turn = 256;

}  // namespace

Coordination::Coordination(Options options)
    : options_(std::move(options)),
      clock_(options_.virtual_clock),
      desk_entropy_(options_.randomness.stream(Randomness::Stream::desk)) {
  open();
  if (options_.desk) desk_.emplace(*options_.desk, *coordinator_, *desk_entropy_);
  if (!options_.faults) return;
  filter_.emplace();
  filter_->set(options_.faults->faults(), now());
}

// A state as at the start, also of the randomness: what follows comes out as it did then.
void Coordination::open() {
  coordinator_.reset();
  store_.reset();
  clock_ = CoordClock(options_.virtual_clock);
  entropy_ = options_.randomness.stream(Randomness::Stream::coordinator);
  store_.emplace();
  coordinator_.emplace(*store_, options_.policy, *entropy_, options_.config);
}

void Coordination::start() {
  coordinator_->start(clock_.read());
  if (options_.client_version) order(coord_command::SetClientVersion{options_.client_version});
  pump();
}

// The desk waits in the system's time, and shows the coordinator's.
Now Coordination::desk_now() const { return {now().mono, clock_.read().wall}; }

void Coordination::handle(const CoordInput& input) {
  if (filter_)
    filter_->handle(input, now());
  else
    admit(input);
}

void Coordination::admit(const CoordInput& input) {
  if (desk_)
    desk_->handle(input, desk_now());
  else
    coordinator_->handle(input, clock_.read());
}

void Coordination::tell(CoordEvent event) {
  if (filter_)
    filter_->handle(std::move(event), now());
  else
    events_.push_back(std::move(event));
}

// Before the answer that says so leaves.
void Coordination::take_faults() {
  if (!filter_ || filter_->book() == desk_->faults()) return;
  options_.faults->set(desk_->faults());
  filter_->set(desk_->faults(), now());
}

void Coordination::handle(admin::Unrouted request) { desk_->handle(std::move(request), desk_now()); }
void Coordination::handle(admin::Request request) { desk_->handle(std::move(request), desk_now()); }
void Coordination::cancel(admin::CallId call) { desk_->cancel(call); }

void Coordination::order(CoordOrder order) {
  coordinator_->handle(CoordCommand{CommandId{++last_command_}, std::move(order)}, clock_.read());
}

// Hands on what has come out of each to the next; false when there was nothing.
bool Coordination::drain() {
  bool moved = false;
  std::array<StoreEvent, 64> stored;
  while (const std::size_t count = store_->poll(stored)) {
    moved = true;
    for (std::size_t i = 0; i < count; ++i) coordinator_->on_store(stored[i], clock_.read());
  }
  while (auto event = coordinator_->next_event()) {
    moved = true;
    if (desk_)
      desk_->handle(*std::move(event), desk_now());
    else
      tell(*std::move(event));
  }
  if (desk_ && drain_desk()) moved = true;
  if (!filter_) return moved;
  while (const auto input = filter_->next_input()) {
    moved = true;
    admit(*input);
  }
  while (auto event = filter_->next_event()) {
    moved = true;
    events_.push_back(*std::move(event));
  }
  return moved;
}

bool Coordination::drain_desk() {
  bool moved = false;
  while (const auto input = desk_->next_input()) {
    moved = true;
    coordinator_->handle(*input, clock_.read());
  }
  while (const auto command = desk_->next_command()) {
    moved = true;
    coordinator_->handle(*command, clock_.read());
  }
  while (auto event = desk_->next_event()) {
    moved = true;
    tell(*std::move(event));
  }
  take_faults();
  while (auto answer = desk_->next_answer()) answers_.push_back(*std::move(answer));
  while (auto task = desk_->next_task()) tasks_.push_back(*std::move(task));
  return moved;
}

void Coordination::settle() {
  do {
    coordinator_->handle_timeout(clock_.read());  // measures the round, too
    if (desk_)
      if (const auto due = desk_->next_timeout(); due && *due <= now().mono)
        desk_->handle_timeout(desk_now());
    if (filter_)
      if (const auto due = filter_->next_timeout(); due && *due <= now().mono) filter_->handle_timeout(now());
  } while (drain());
}

void Coordination::pump() {
  settle();
  while (!tasks_.empty() && !wants_reset()) {
    work();
    settle();
    if (advancing_to_) return;  // goes on in the next turn
  }
}

void Coordination::work() {
  const auto& what = tasks_.front().what;
  if (std::holds_alternative<admin::task::Reset>(what))
    return finish_task(501, "the server's keys stay: start another server");
  if (!clock_.is_virtual())
    return finish_task(409, "time is the system's: start the server with --clock virtual");
  if (const auto* set = std::get_if<admin::task::SetClock>(&what)) {
    clock_.set(set->wall);
    settle();
    return finish_task(200);
  }
  if (!advancing_to_) {
    const auto by = std::get<admin::task::AdvanceClock>(what).by;
    const Instant from = clock_.read().mono;
    if (by < by.zero()) return finish_task(400, "time does not go back");
    if (by > CoordClock::last() - from) return finish_task(400, "that is too far");
    advancing_to_ = from + by;
  }
  if (!advance()) return;
  advancing_to_.reset();
  finish_task(200);
}

// Serves what falls due in the order of time, some of it; true when time has come where it shall.
bool Coordination::advance() {
  using std::chrono::milliseconds;
  for (int i = 0; i < deadlines_per_turn; ++i) {
    const auto due = coordinator_->next_timeout();
    const bool last = !due || *due >= *advancing_to_;
    // What is due and stays so must not stop time.
    const Instant next = last ? *advancing_to_ : std::max(*due, clock_.read().mono + milliseconds{1});
    clock_.move_to(std::min(next, *advancing_to_));
    settle();
    if (last) return true;
  }
  return false;
}

void Coordination::finish_task(int status, std::string text) {
  const admin::TaskId id = tasks_.front().id;
  tasks_.pop_front();
  desk_->done(id, status, std::move(text), *coordinator_, desk_now());
}

std::optional<CoordEvent> Coordination::next_event() {
  if (events_.empty()) return std::nullopt;
  CoordEvent first = std::move(events_.front());
  events_.pop_front();
  return first;
}

std::optional<admin::Answer> Coordination::next_answer() {
  if (answers_.empty()) return std::nullopt;
  admin::Answer first = std::move(answers_.front());
  answers_.pop_front();
  return first;
}

std::optional<Instant> Coordination::next_timeout() const {
  if (advancing_to_) return now().mono;
  std::optional<Instant> next;
  if (!clock_.is_virtual()) next = coordinator_->next_timeout();
  const auto earlier = [&next](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  if (desk_) earlier(desk_->next_timeout());
  if (filter_) earlier(filter_->next_timeout());
  return next;
}

bool Coordination::wants_reset() const {
  const auto* const wanted = tasks_.empty() ? nullptr : std::get_if<admin::task::Reset>(&tasks_.front().what);
  return wanted && !wanted->keys;
}

void Coordination::reset() {
  events_.clear();
  if (filter_) filter_->forget();
  open();
  finish_task(200);  // the desk turns to the new coordinator
  start();
}

}  // namespace ts2021::app

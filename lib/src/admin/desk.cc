// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/admin/desk.h"

#include <algorithm>
#include <utility>

#include "admin/calls.h"
#include "admin/flow.h"
#include "admin/state.h"

namespace ts2021::admin {
namespace {

template <class T>
std::optional<T> take(std::deque<T>& queue) {
  if (queue.empty()) return std::nullopt;
  T front = std::move(queue.front());
  queue.pop_front();
  return front;
}

}  // namespace

struct Desk::Impl {
  Impl(DeskConfig config, const Coordinator& coordinator, Entropy& entropy)
      : state(std::move(config), coordinator, entropy), flow(state) {}

  // Every way in is between these two.
  void enter(Now now) {
    if (now.mono < state.now.mono) now.mono = state.now.mono;
    state.now = now;
    state.passing.holds.advance(now.mono);
    for (const std::uint64_t late : state.passing.callbacks.advance(now.mono)) flow.c2n_done(late);
    state.passing.alt_streams.advance(now.mono);
  }
  void leave() {
    flow.settle_holds();
    state.settle_waiting();
  }

  State state;
  Flow flow;
};

Desk::Desk(DeskConfig config, const Coordinator& coordinator, Entropy& entropy)
    : impl_(std::make_unique<Impl>(std::move(config), coordinator, entropy)) {}
Desk::~Desk() = default;

void Desk::handle(CoordInput input, Now now) {
  impl_->enter(now);
  std::visit([this](const auto& one) { impl_->flow.on(one); }, input);
  impl_->leave();
}

void Desk::handle(CoordEvent event, Now now) {
  impl_->enter(now);
  std::visit([this](const auto& one) { impl_->flow.on(one); }, event);
  impl_->leave();
}

void Desk::handle(Unrouted request, Now now) {
  impl_->enter(now);
  impl_->flow.on(request);
  impl_->leave();
}

std::optional<CoordInput> Desk::next_input() { return take(impl_->state.inputs); }
std::optional<CoordEvent> Desk::next_event() { return take(impl_->state.coord_events); }
std::optional<CoordCommand> Desk::next_command() { return take(impl_->state.commands); }
std::optional<Task> Desk::next_task() { return take(impl_->state.tasks); }

void Desk::handle(Request request, Now now) {
  impl_->enter(now);
  State& state = impl_->state;
  const auto table = rows();
  const auto number = static_cast<std::size_t>(request.route);
  state.open_calls.insert(request.call);
  if (number >= table.size()) {
    state.answer(request.call, error_reply(404, "no such call"));
  } else {
    const Row& row = table[number];
    Call call{state, impl_->flow, request, row};
    if (auto reply = row.handle(call)) state.answer(request.call, std::move(*reply));
  }
  impl_->leave();
}

void Desk::cancel(CallId call) {
  State& state = impl_->state;
  state.open_calls.erase(call);
  state.waiting.remove_if([call](const State::Waiting& waiting) { return waiting.call == call; });
  state.passing.alt_streams.withdraw(call);
  std::erase_if(state.replies, [call](auto& reply) {
    if (reply.first != call) return false;
    if (reply.second.unread) reply.second.unread();
    return true;
  });
}

std::optional<Answer> Desk::next_answer() {
  auto reply = take(impl_->state.replies);
  if (!reply) return std::nullopt;
  Reply& of = reply->second;
  return Answer{reply->first, of.status, std::move(of.content_type), std::move(of.headers),
                std::move(of.body)};
}

void Desk::done(TaskId task, int status, std::string text, const Coordinator& coordinator, Now now) {
  impl_->enter(now);
  State& state = impl_->state;
  const auto asked = state.asked.find(task);
  if (asked == state.asked.end()) return impl_->leave();
  const State::Asked ended = asked->second;
  state.asked.erase(asked);
  if (ended.reset && status / 100 == 2) {
    impl_->flow.forget();
    state.forget(coordinator);
  }
  state.answer(ended.call, status / 100 == 2 ? Reply{} : error_reply(status, text));
  impl_->leave();
}

const std::shared_ptr<const FaultBook>& Desk::faults() const noexcept { return impl_->state.faults; }

void Desk::handle_timeout(Now now) {
  impl_->enter(now);
  impl_->leave();
}

std::optional<Instant> Desk::next_timeout() const {
  const State& state = impl_->state;
  std::optional<Instant> next = state.passing.holds.next_timeout();
  const auto earlier = [&next](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  earlier(state.passing.callbacks.next_timeout());
  for (const auto& waiting : state.waiting) earlier(waiting.until);
  return next;
}

}  // namespace ts2021::admin

// SPDX-License-Identifier: BSD-3-Clause
#include "conn/outer_site.h"

namespace ts2021::conn {

void OuterSite::fill(Outbox& out, Instant now) {
  http.fill(out.queue);
  out.note_backlog(http.pending() > 0);
  if (const auto stream = http.take_writable()) writable_ = stream;
  note(now);
}

void OuterSite::note(Instant now) {
  State state = State::head;
  if (http.answering() || !http.wants_input())
    state = State::waiting;
  else if (http.in_body())
    state = State::body;
  else if (http.idle() && served_)
    state = State::idle;
  if (state == state_) return;
  state_ = state;
  since_ = now;
}

std::optional<Instant> OuterSite::deadline(const Limits& limits) const noexcept {
  switch (state_) {
    case State::head:
      return since_ + limits.head_deadline;
    case State::idle:
      return since_ + limits.keep_alive_deadline;
    case State::body:
      return since_ + limits.body_deadline;
    case State::waiting:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace ts2021::conn

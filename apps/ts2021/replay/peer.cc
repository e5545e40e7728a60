// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/replay/peer.h"

#include <array>
#include <chrono>
#include <utility>

#include "common/clock.h"

namespace ts2021::app {
namespace {

// More often than the silence that clients bear.
constexpr std::chrono::seconds keep_alive_pause{50};

}  // namespace

ReplayPeer::ReplayPeer(Fd socket, const ServerConfig& config, Env env)
    : socket_(std::move(socket)), connection_(config, env, now()), scratch_(64 << 10) {}

bool ReplayPeer::take_events(const OnEvent& on_event) {
  bool any = false;
  while (!over_) {
    const auto event = connection_.next_event();
    if (!event) break;
    any = true;
    if (std::holds_alternative<event::Closed>(*event)) {
      over_ = true;
    } else if (const auto* writable = std::get_if<event::Writable>(&*event)) {
      if (const auto at = streams_.find(writable->stream); at != streams_.end()) at->second.in_flight = false;
    } else if (const auto* gone = std::get_if<event::StreamGone>(&*event)) {
      streams_.erase(gone->stream);
    } else {
      on_event(*this, *event);
    }
  }
  return any;
}

bool ReplayPeer::send_due() {
  const Now at = now();
  bool any = false;
  while (!answers_.empty() && answers_.begin()->first <= at.mono) {
    const auto answer = std::move(answers_.begin()->second);
    answers_.erase(answers_.begin());
    answer();
    any = true;
  }
  for (auto it = streams_.begin(); it != streams_.end();) {
    auto& [id, stream] = *it;
    if (stream.messages.empty() && !stream.keep_alive && !stream.in_flight) {
      (void)connection_.end_stream(id);
      it = streams_.erase(it);
      any = true;
      continue;
    }
    SharedPieces pieces;
    if (!stream.in_flight && !stream.messages.empty() && stream.messages.front().due <= at.mono) {
      pieces = std::move(stream.messages.front().pieces);
      stream.messages.pop_front();
    } else if (!stream.in_flight && stream.messages.empty() && stream.keep_alive_due <= at.mono) {
      pieces = stream.keep_alive;
    }
    if (pieces) {
      const auto pushed = connection_.push(id, *pieces, at);
      stream.in_flight = pushed && *pushed == Pushed::accepted;
      stream.keep_alive_due = at.mono + keep_alive_pause;
      any = true;
    }
    ++it;
  }
  return any;
}

bool ReplayPeer::write() {
  std::array<Bytes, 16> pieces;
  bool any = false;
  while (!blocked_) {
    const std::size_t count = connection_.output(pieces, now());
    if (count == 0) break;
    const IoResult sent = write_some(socket_.get(), std::span(pieces).first(count));
    any = true;
    if (sent.what == Io::some) {
      connection_.output_sent(sent.count, now());
    } else if (sent.what == Io::blocked) {
      blocked_ = true;
    } else {
      connection_.output_failed(now());
      break;
    }
  }
  return any;
}

bool ReplayPeer::flush(const OnEvent& on_event) {
  for (bool busy = true; busy && !over_;) {
    busy = take_events(on_event);
    if (send_due()) busy = true;
    if (write()) busy = true;
    if (take_events(on_event)) busy = true;
  }
  return !over_;
}

pollfd ReplayPeer::interest() const noexcept {
  return {socket_.get(),
          static_cast<short>((connection_.wants_input() ? POLLIN : 0) | (blocked_ ? POLLOUT : 0)), 0};
}

void ReplayPeer::on_ready(short revents) {
  if (revents & POLLOUT) blocked_ = false;
  if (revents & (POLLIN | POLLHUP | POLLERR)) {
    const IoResult got = read_some(socket_.get(), scratch_);
    if (got.what == Io::some)
      (void)connection_.receive(MutableBytes(scratch_).first(got.count), now());
    else if (got.what != Io::blocked)
      connection_.wants_input() ? connection_.receive_end(now()) : connection_.output_failed(now());
  }
  connection_.handle_timeout(now());
}

std::optional<Instant> ReplayPeer::next_timeout() const {
  std::optional<Instant> next = connection_.next_timeout();
  const auto earliest = [&next](Instant other) {
    if (!next || other < *next) next = other;
  };
  if (!answers_.empty()) earliest(answers_.begin()->first);
  for (const auto& [id, stream] : streams_)
    if (!stream.in_flight)
      earliest(stream.messages.empty() ? stream.keep_alive_due : stream.messages.front().due);
  return next;
}

}  // namespace ts2021::app

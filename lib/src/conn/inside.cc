// SPDX-License-Identifier: BSD-3-Clause
#include "conn/inside.h"

#include <algorithm>

namespace ts2021::conn {
namespace {

h2::ServerLimits h2_limits(const Limits& limits) noexcept {
  h2::ServerLimits out;
  out.max_bodies = limits.max_bodies;
  out.max_streams = limits.max_streams;
  out.refuse_above = limits.max_streams - limits.max_streams / 5;
  out.max_resets_per_10_s = limits.max_resets_per_10_s;
  return out;
}

}  // namespace

Inside::Inside(noise::Session session, std::unique_ptr<noise::MachineSecret> unproven, Env env,
               entry::WebSocket* websocket, Outbox& out, const ServerConfig& config, Instant now)
    : channel(std::move(session), env, websocket, out.queue),
      h2(config.routes, h2_limits(config.limits), config.tell_unrouted || env.tracer, env.slots),
      out_(out),
      tamper_(env.tamper),
      limits_(config.limits),
      cache_(env.handshakes),
      unproven_(std::move(unproven)),
      begun_(now) {}

Inside::Fed Inside::feed(MutableBytes in, Now now) {
  bool http2 = false;
  const Result<void> fed = channel.feed(in, [&](MutableBytes plaintext) -> Result<void> {
    split_since_.reset();  // one record is complete: the next has its own time
    auto result = h2.feed(tamper_ ? tamper_->received(plaintext) : plaintext, now);
    http2 = !result;
    return result;
  });
  if (unproven_ && channel.proven()) cache_->remember(std::move(unproven_));  // HSK-10
  if (!channel.mid_record())
    split_since_.reset();
  else if (!split_since_)
    split_since_ = now.mono;
  return {fed, http2};
}

Inside::Filled Inside::fill(Instant now) {
  const Result<void> frames = h2.drain_to(channel.sink());
  if (tamper_) (void)channel.append(tamper_->due_frames(now));
  Filled filled{frames, channel.flush()};
  if (!filled.records) return filled;
  out_.note_backlog(h2.wants_output() || channel.backlog());
  note_streams(now);
  return filled;
}

void Inside::note_streams(Instant now) {
  for (Owed& o : owed_)
    if (const std::size_t left = h2.unsent(o.stream); left != o.left) o = {o.stream, left, now};
  std::erase_if(owed_, [](const Owed& o) { return o.left == 0; });
  if (h2.open_streams() > 0)
    idle_since_.reset();
  else if (!idle_since_)
    idle_since_ = now;
}

void Inside::note_owed(StreamId stream, Instant now) {
  const std::size_t left = h2.unsent(stream);
  if (left == 0) return;
  const auto known =
      std::find_if(owed_.begin(), owed_.end(), [&](const Owed& o) { return o.stream == stream; });
  if (known == owed_.end())
    owed_.push_back({stream, left, now});
  else
    *known = {stream, left, now};
}

void Inside::give_up_stalled(Instant now) {
  std::erase_if(owed_, [&](const Owed& o) {
    if (o.since + limits_.push_stall_deadline > now) return false;
    h2.reset_stream(o.stream);
    given_up_.push_back({o.stream, fail(Errc::timeout, 715)});
    return true;
  });
}

std::optional<event::StreamGone> Inside::take_given_up() {
  if (given_up_.empty()) return std::nullopt;
  const event::StreamGone gone = given_up_.back();
  given_up_.pop_back();
  return gone;
}

std::optional<Instant> Inside::quiet_deadline() const noexcept {
  if (!h2.preface_received()) return begun_ + limits_.preface_deadline;
  if (idle_since_) return *idle_since_ + limits_.idle_deadline;
  return std::nullopt;
}

std::optional<Instant> Inside::input_deadline() const noexcept {
  const auto oldest = earlier(split_since_, h2.oldest_incomplete());
  if (!oldest) return std::nullopt;
  return *oldest + limits_.body_deadline;
}

std::optional<Instant> Inside::owed_deadline() const noexcept {
  std::optional<Instant> next;
  for (const Owed& o : owed_) next = earlier(next, o.since + limits_.push_stall_deadline);
  return next;
}

}  // namespace ts2021::conn

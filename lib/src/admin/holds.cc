// SPDX-License-Identifier: BSD-3-Clause
#include "admin/holds.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ts2021::admin {
namespace {

constexpr std::array<std::string_view, 4> points{"register", "map-request", "first-map", "set-dns"};

}  // namespace

std::optional<HoldPoint> parse_hold_point(std::string_view text) noexcept {
  const auto at = std::find(points.begin(), points.end(), text);
  if (at == points.end()) return std::nullopt;
  return static_cast<HoldPoint>(at - points.begin());
}
std::string_view text(HoldPoint point) noexcept { return points[static_cast<std::size_t>(point)]; }

bool fits(const HoldMatch& match, const HoldFacts& facts) {
  return (!match.node || *match.node == facts.node) && (!match.stream || *match.stream == facts.stream) &&
         (!match.read_only || *match.read_only == facts.read_only) &&
         (!match.omit_peers || *match.omit_peers == facts.omit_peers) &&
         (!match.tags || *match.tags == facts.tags);
}

std::optional<std::uint64_t> Holds::make(New hold) {
  if (holds_.size() >= max_holds) return std::nullopt;
  holds_[++last_hold_].what = std::move(hold);
  return last_hold_;
}

bool Holds::holds(const Hold& hold, HoldPoint point, const HoldFacts& facts) {
  return !hold.released && hold.what.point == point && (!hold.what.count || *hold.what.count > 0) &&
         hold.held < max_held && fits(hold.what.match, facts);
}

bool Holds::wants(HoldPoint point, const HoldFacts& facts) const {
  return std::any_of(holds_.begin(), holds_.end(),
                     [&](const auto& hold) { return holds(hold.second, point, facts); });
}

std::optional<Verdict> Holds::ask(Passage passage, Instant now) {
  return ask(std::move(passage), false, 0, now);
}

std::optional<Verdict> Holds::ask(Passage passage, bool replaced, std::uint64_t after, Instant now) {
  now_ = std::max(now_, now);
  for (auto at = holds_.upper_bound(after); at != holds_.end(); ++at) {
    Hold& hold = at->second;
    if (!holds(hold, passage.point, passage.facts)) continue;
    if (hold.what.count) --*hold.what.count;
    ++hold.held;
    Call& call = hold.calls[++last_call_];
    call.passage = std::move(passage);
    call.until = now_ + hold.what.timeout;
    call.replaced = replaced;
    return std::nullopt;
  }
  Verdict verdict;
  verdict.point = passage.point;
  verdict.key = passage.key;
  verdict.response = std::move(passage.response);
  verdict.replaced = replaced;
  return verdict;
}

void Holds::end(Hold& hold, Call& call) {
  call.state = State::done;
  if (++hold.done <= max_kept) return;
  const auto oldest = std::find_if(hold.calls.begin(), hold.calls.end(),
                                   [](const auto& one) { return one.second.state == State::done; });
  hold.calls.erase(oldest);
  --hold.done;
}

// A held call leaves: to the next hold, or out.
void Holds::settle(std::uint64_t number, Hold& hold, Call& call, Verdict verdict) {
  Passage passage = std::exchange(call.passage, {});
  call.passage.key = passage.key;
  verdict.point = passage.point;
  verdict.key = passage.key;
  const bool replaced = call.replaced || verdict.replaced;
  const bool gone = call.gone;
  --hold.held;
  if (gone || verdict.kind == Verdict::Kind::reject) {
    call.dropped = gone;
    if (gone) verdict.kind = Verdict::Kind::drop;
    end(hold, call);
    verdicts_.push_back(std::move(verdict));
    return;
  }
  call.state = State::running;
  ++hold.running;
  if (verdict.replaced) passage.response = std::move(verdict.response);
  if (auto last = ask(std::move(passage), replaced, number, now_)) verdicts_.push_back(std::move(*last));
}

void Holds::gone(StreamKey key) {
  for (auto& [number, hold] : holds_)
    for (auto& [id, call] : hold.calls)
      if (call.state == State::held && call.passage.key == key) call.gone = true;
}

void Holds::finished(StreamKey key) {
  for (auto& [number, hold] : holds_) {
    if (hold.running == 0) continue;
    for (auto at = hold.calls.begin(); at != hold.calls.end();) {
      Call& call = (at++)->second;
      if (call.state != State::running || call.passage.key != key) continue;
      --hold.running;
      end(hold, call);
      break;  // a request is at most once with a hold of its point
    }
  }
}

std::optional<Verdict> Holds::next_verdict() {
  if (verdicts_.empty()) return std::nullopt;
  Verdict verdict = std::move(verdicts_.front());
  verdicts_.pop_front();
  return verdict;
}

void Holds::advance(Instant now) {
  now_ = std::max(now_, now);
  for (auto& [number, hold] : holds_) {
    if (hold.held == 0) continue;
    std::vector<std::uint64_t> late;
    for (const auto& [id, call] : hold.calls)
      if (call.state == State::held && call.until <= now_) late.push_back(id);
    for (const std::uint64_t id : late) settle(number, hold, hold.calls.at(id), {});
  }
}

std::optional<Instant> Holds::next_timeout() const {
  std::optional<Instant> next;
  for (const auto& [number, hold] : holds_) {
    if (hold.held == 0) continue;
    for (const auto& [id, call] : hold.calls)
      if (call.state == State::held && (!next || call.until < *next)) next = call.until;
  }
  return next;
}

std::optional<std::string> Holds::hand_out(std::uint64_t number, std::uint64_t& id) {
  const auto hold = holds_.find(number);
  if (hold == holds_.end()) return std::nullopt;
  for (auto& [call_id, call] : hold->second.calls) {
    if (call.state != State::held || call.handed_out) continue;
    call.handed_out = true;
    id = call_id;
    const Passage& passage = call.passage;
    return json_object([&](json::Writer& out) {
      number_member(out, "call", id);
      text_member(out, "on", text(passage.point));
      text_member(out, "nodeKey", passage.facts.node.text());
      text_member(out, "machineKey", passage.facts.machine.text());
      json_member(out, "request", passage.request);
      if (passage.point == HoldPoint::first_map) json_member(out, "response", passage.response);
    });
  }
  return std::nullopt;
}

void Holds::hand_back(std::uint64_t number, std::uint64_t id) {
  const auto hold = holds_.find(number);
  if (hold == holds_.end()) return;
  const auto call = hold->second.calls.find(id);
  if (call != hold->second.calls.end()) call->second.handed_out = false;
}

std::optional<Holds::Status> Holds::status(std::uint64_t number, std::uint64_t id) const {
  const auto hold = holds_.find(number);
  if (hold == holds_.end()) return std::nullopt;
  const auto call = hold->second.calls.find(id);
  if (call == hold->second.calls.end()) return std::nullopt;
  return Status{hold->second.what.point, call->second.state, call->second.dropped};
}

bool Holds::answer(std::uint64_t number, std::uint64_t id, Verdict verdict) {
  const auto hold = holds_.find(number);
  if (hold == holds_.end()) return false;
  const auto call = hold->second.calls.find(id);
  if (call == hold->second.calls.end() || call->second.state != State::held) return false;
  settle(number, hold->second, call->second, std::move(verdict));
  return true;
}

void Holds::release(std::uint64_t number) {
  Hold& hold = holds_.at(number);
  hold.released = true;
  std::vector<std::uint64_t> held;
  for (const auto& [id, call] : hold.calls)
    if (call.state == State::held) held.push_back(id);
  for (const std::uint64_t id : held) settle(number, hold, hold.calls.at(id), {});
}

void Holds::remove(std::uint64_t number) {
  release(number);
  holds_.erase(number);
}

std::optional<Holds::Counts> Holds::counts(std::uint64_t number) const {
  const auto hold = holds_.find(number);
  if (hold == holds_.end()) return std::nullopt;
  return Counts{hold->second.what.point, hold->second.held, hold->second.running, hold->second.done};
}

}  // namespace ts2021::admin

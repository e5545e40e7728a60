// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/admin/fault_filter.h"

#include <algorithm>
#include <utility>

#include "admin/frames.h"
#include "admin/map_faults.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"

namespace ts2021::admin {
namespace {

Instant after(Instant now, const std::optional<Instant::duration>& delay) {
  return now + delay.value_or(Instant::duration{});
}

}  // namespace

FaultFilter::FaultFilter() = default;
FaultFilter::~FaultFilter() = default;

void FaultFilter::set(std::shared_ptr<const FaultBook> book, Now now) {
  book_ = std::move(book);
  if (book_)
    for (const auto& [node, machine] : nodes_) book_->learn(node, machine);
  for (Held& held : held_)
    if (!held.until) held.until = now.mono;
}

void FaultFilter::forget() {
  machines_.clear();
  nodes_.clear();
  streams_.clear();
  held_.clear();
  inputs_.clear();
  events_.clear();
}

// ---- requests

void FaultFilter::handle(CoordInput input, Now now) {
  std::visit([&](auto& i) { on(std::move(i), now); }, input);
}

void FaultFilter::on(coord_input::Opened&& input, Now) {
  machines_[input.session] = input.machine;
  inputs_.emplace_back(std::move(input));
}

void FaultFilter::on(coord_input::Gone&& input, Now) {
  machines_.erase(input.session);
  std::erase_if(streams_, [&](const auto& stream) { return stream.first.first == input.session; });
  std::erase_if(held_, [&](const Held& held) { return held.key.first == input.session; });
  inputs_.emplace_back(std::move(input));
}

void FaultFilter::on(coord_input::Register&& input, Now now) {
  const Key key{input.session, input.call};
  const NodePublic node = input.request->node_key;
  learn(node, input.session);
  admit(FaultEvent::register_request, key, &node, std::move(input), now);
}

void FaultFilter::on(coord_input::Map&& input, Now now) {
  const Key key{input.session, input.call};
  const NodePublic node = input.request->node_key;
  learn(node, input.session);
  streams_[key] = {node, parse_compression(input.request->compress), nullptr, nullptr, nullptr};
  admit(FaultEvent::map_request, key, &node, std::move(input), now);
}

void FaultFilter::on(coord_input::Ask&& input, Now now) {
  if (!input.machine) {  // of the outer site
    inputs_.emplace_back(std::move(input));
    return;
  }
  const Key key{input.session, input.call};
  admit(FaultEvent::other_request, key, nullptr, std::move(input), now);
}

void FaultFilter::on(coord_input::Cancelled&& input, Now) {
  const Key key{input.session, input.call};
  const Held* waiting = held(key);
  const bool unseen = waiting && std::holds_alternative<CoordInput>(waiting->what);
  end(key);
  if (!unseen) inputs_.emplace_back(std::move(input));
}

void FaultFilter::on(coord_input::Taken&& input, Now) { inputs_.emplace_back(std::move(input)); }

void FaultFilter::learn(const NodePublic& node, SessionId session) {
  const auto machine = machines_.find(session);
  if (machine == machines_.end()) return;
  const auto [at, fresh] = nodes_.try_emplace(node, machine->second);
  if (fresh && book_) book_->learn(node, at->second);
}

void FaultFilter::admit(FaultEvent event, Key key, const NodePublic* node, CoordInput input, Now now) {
  const FaultRule* rule = nullptr;
  if (book_) {
    FaultBook::Asked asked{event};
    if (const auto machine = machines_.find(key.first); machine != machines_.end())
      asked.machine = machine->second;
    if (node) asked.node = *node;
    rule = book_->ask(asked);
  }
  if (!rule) {
    inputs_.push_back(std::move(input));
    return;
  }
  if (rule->fault == Fault::api_delay) {
    held_.push_back({key, after(now.mono, rule->delay), std::move(input)});
    return;
  }
  if (rule->fault == Fault::api_hold) {
    held_.push_back({key, std::nullopt, std::move(input)});
    return;
  }
  end(key);
  if (rule->fault == Fault::api_drop) {
    events_.emplace_back(coord_event::Drop{key.first, fail(Errc::closed, 1380)});
    return;
  }
  coord_event::Refused refused;
  refused.session = key.first;
  refused.call = key.second;
  refused.status = static_cast<int>(rule->status);
  refused.text = "fault";
  if (rule->retry_after)
    refused.retry_after = std::chrono::duration_cast<std::chrono::seconds>(*rule->retry_after);
  events_.emplace_back(std::move(refused));
}

// ---- answers

void FaultFilter::handle(CoordEvent event, Now now) {
  const auto key = std::visit(
      [](const auto& e) -> std::optional<Key> {
        if constexpr (requires { e.call; })
          return Key{e.session, e.call};
        else
          return std::nullopt;
      },
      event);
  if (!key) {
    events_.push_back(std::move(event));
    return;
  }
  if (const Held* before = held(*key)) {
    held_.push_back({*key, before->until, std::move(event)});
    return;
  }
  if (auto* frame = std::get_if<coord_event::MapFrame>(&event)) return on(std::move(*frame), now);
  streams_.erase(*key);
  events_.push_back(std::move(event));
}

void FaultFilter::on(coord_event::MapFrame&& event, Now now) {
  const auto found = streams_.find({event.session, event.call});
  if (found == streams_.end() || Frames::is_keep_alive(event.pieces, found->second.compression)) {
    events_.emplace_back(std::move(event));
    return;
  }
  Stream& stream = found->second;
  const SharedPieces honest = event.pieces;
  if (const FaultRule* rule = book_ ? ask(event, stream) : nullptr)
    change(std::move(event), stream, *rule, now);
  else
    events_.emplace_back(std::move(event));
  stream.before = honest;
  if (!stream.first) stream.first = honest;
}

const FaultRule* FaultFilter::ask(const coord_event::MapFrame& frame, Stream& stream) {
  FaultBook::Asked asked{FaultEvent::frame};
  asked.node = stream.node;
  if (const auto machine = machines_.find(frame.session); machine != machines_.end())
    asked.machine = machine->second;
  if (const FaultRule* rule = book_->ask(asked)) return rule;
  asked.event = FaultEvent::later_frame;
  if (stream.before)
    if (const FaultRule* rule = book_->ask(asked)) return rule;
  const auto rules = book_->rules();
  if (std::none_of(rules.begin(), rules.end(),
                   [](const FaultRule& r) { return r.fault == Fault::api_contradiction; }))
    return nullptr;
  asked.event = FaultEvent::peer_frame;
  for (const SharedPieces& message : {frame.pieces, stream.before, stream.first}) {
    if (!message || !names_peer(message, stream.compression)) continue;
    stream.with_peer = message;
    return book_->ask(asked);
  }
  return nullptr;
}

void FaultFilter::change(coord_event::MapFrame&& frame, Stream& stream, const FaultRule& rule, Now now) {
  const Key key{frame.session, frame.call};
  if (rule.fault == Fault::api_delay || rule.fault == Fault::api_stall) {
    std::optional<Instant> until;
    if (rule.delay) until = after(now.mono, rule.delay);
    held_.push_back({key, until, std::move(frame)});
    return;
  }
  if (rule.fault == Fault::api_drop) {
    inputs_.emplace_back(coord_input::Taken{frame.session, frame.call});
    return;
  }
  SharedPieces pieces;
  if (rule.fault == Fault::api_stale) {
    pieces = joined(frame.pieces, stream.before);
  } else if (rule.fault == Fault::api_contradiction) {
    pieces = contradiction(stream.with_peer, stream.compression, compressor_);
    if (pieces) pieces = joined(frame.pieces, pieces);
  } else {
    pieces = spoiled(frame.pieces, stream.compression, rule, compressor_);
  }
  if (pieces) frame.pieces = std::move(pieces);
  events_.emplace_back(std::move(frame));
}

// ---- what waits

FaultFilter::Held* FaultFilter::held(Key key) {
  const auto at = std::find_if(held_.begin(), held_.end(), [&](const Held& h) { return h.key == key; });
  return at == held_.end() ? nullptr : &*at;
}

void FaultFilter::end(Key key) {
  streams_.erase(key);
  std::erase_if(held_, [&](const Held& h) { return h.key == key; });
}

void FaultFilter::handle_timeout(Now now) {
  std::vector<Held> all = std::exchange(held_, {});
  for (Held& one : all) {
    if (!one.until || *one.until > now.mono)
      held_.push_back(std::move(one));
    else if (auto* input = std::get_if<CoordInput>(&one.what))
      inputs_.push_back(std::move(*input));
    else
      events_.push_back(std::move(*std::get_if<CoordEvent>(&one.what)));
  }
}

std::optional<Instant> FaultFilter::next_timeout() const {
  std::optional<Instant> next;
  for (const Held& held : held_)
    if (held.until && (!next || *held.until < *next)) next = held.until;
  return next;
}

std::optional<CoordInput> FaultFilter::next_input() {
  if (inputs_.empty()) return std::nullopt;
  CoordInput out = std::move(inputs_.front());
  inputs_.pop_front();
  return out;
}

std::optional<CoordEvent> FaultFilter::next_event() {
  if (events_.empty()) return std::nullopt;
  CoordEvent out = std::move(events_.front());
  events_.pop_front();
  return out;
}

}  // namespace ts2021::admin

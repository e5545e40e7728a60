// SPDX-License-Identifier: BSD-3-Clause
#include "admin/map_flow.h"

#include <utility>
#include <vector>

#include "admin/merge_patch.h"
#include "json/reader.h"
#include "ts2021/msg/codec.h"

namespace ts2021::admin {

HoldFacts MapFlow::facts(const MapCall& call) {
  const MapRequest& request = *call.request;
  HoldFacts facts{request.node_key, call.machine, request.stream, request.read_only, request.omit_peers, {}};
  if (request.hostinfo) facts.tags = request.hostinfo->request_tags;
  return facts;
}

void MapFlow::note(EventType type, const MapCall& call, std::string_view reason) {
  const MapRequest& request = *call.request;
  state_.events.add(type, [&](json::Writer& out) {
    text_member(out, "nodeKey", request.node_key.text());
    text_member(out, "machineKey", call.machine.text());
    number_member(out, "version", static_cast<std::uint64_t>(request.version));
    flag_member(out, "stream", request.stream);
    flag_member(out, "readOnly", request.read_only);
    flag_member(out, "omitPeers", request.omit_peers);
    number_member(out, "connection", call.connection);
    if (!reason.empty()) text_member(out, "reason", reason);
  });
  state_.stir();
}

const MapFlow::MapCall* MapFlow::poll_of(const NodePublic& node) const {
  const MapCall* newest = nullptr;
  for (const auto& [key, call] : calls_)
    if (call.accepted && call.request->node_key == node && (!newest || newest->number < call.number))
      newest = &call;
  return newest;
}

bool MapFlow::is_replaced(const MapCall& call) const {
  for (const auto& [key, other] : calls_)
    if (other.number > call.number && other.is_poll() && other.request->node_key == call.request->node_key)
      return true;
  return false;
}

// --- requests ---

void MapFlow::on(const coord_input::Map& input, const Sender& sender) {
  const StreamKey key{input.session, input.call};
  MapCall call{.key = key,
               .machine = sender.machine,
               .connection = sender.connection,
               .number = ++last_,
               .request = input.request,
               .compression = parse_compression(input.request->compress)};
  note(EventType::map_request, call, {});
  const auto at = calls_.insert_or_assign(key, std::move(call)).first;
  const HoldFacts about = facts(at->second);
  if (state_.passing.holds.wants(HoldPoint::map_request, about))
    if (!state_.passing.holds.ask({HoldPoint::map_request, key, about, encoded(*input.request), {}},
                                  state_.now.mono))
      return;
  start(at->second);
}

void MapFlow::start(MapCall& call) {
  if (!state_.passing.alt_map) {
    call.stage = MapCall::Stage::running;
    if (const auto node = state_.coordinator->node(call.request->node_key))
      state_.causes.add(cause_of(*call.request, *node->record));
    state_.inputs.push_back(coord_input::Map{call.key.session, call.key.call, call.request});
    return;
  }
  call.stage = MapCall::Stage::alt;
  AltStreams::Stream stream;
  stream.key = call.key;
  stream.node = call.request->node_key;
  stream.request = encoded(*call.request);
  stream.compression = call.compression;
  state_.passing.alt_streams.add(std::move(stream));
  send_head(call);
  state_.stir();
}

bool MapFlow::on(const coord_input::Cancelled& input, bool& forward) {
  const auto at = calls_.find({input.session, input.call});
  if (at == calls_.end()) return false;
  forward = at->second.stage == MapCall::Stage::running;
  end(at, "client");
  return true;
}

void MapFlow::session_gone(SessionId session) {
  for (auto at = calls_.lower_bound({session, ts2021::CallId{}});
       at != calls_.end() && at->first.session == session;)
    end(at++, "client");
}

void MapFlow::on(Verdict verdict) {
  const auto at = calls_.find(verdict.key);
  if (at == calls_.end()) return;
  MapCall& call = at->second;
  if (verdict.point == HoldPoint::map_request) {
    if (call.stage != MapCall::Stage::held || verdict.kind == Verdict::Kind::drop) return;
    if (verdict.kind == Verdict::Kind::go) return start(call);
    coord_event::Refused refused{verdict.key.session, verdict.key.call, verdict.status, {}, {}};
    refused.body = std::move(verdict.body);
    for (Header& header : verdict.headers)
      refused.headers.emplace_back(std::move(header.name), std::move(header.value));
    state_.coord_events.emplace_back(std::move(refused));
    return end(at, "done");
  }
  if (!std::exchange(call.deciding, false)) return;
  if (verdict.replaced)
    if (auto pieces = state_.frames.pack(verdict.response, call.compression)) {
      call.waiting = std::move(pieces);
      call.look.reset();
      call.why.named.emplace_back("changed by a hold");
    }
  pump(at);
}

// --- frames ---

bool MapFlow::on(const coord_event::MapFrame& event) {
  const auto at = calls_.find({event.session, event.call});
  if (at == calls_.end() || at->second.stage != MapCall::Stage::running) return false;
  MapCall& call = at->second;
  if (call.is_poll() && !std::exchange(call.accepted, true)) state_.stir();
  call.why = explain(call, event.pieces);
  const NodePublic& node = call.request->node_key;
  if (!state_.passing.raw_frames.automatic(node) && !Frames::is_keep_alive(event.pieces, call.compression)) {
    state_.inputs.push_back(coord_input::Taken{event.session, event.call});
    if (call.is_poll()) send_head(call);
    pump(at);
    return true;
  }
  call.waiting = event.pieces;
  const bool first = !call.first_made && !Frames::is_keep_alive(event.pieces, call.compression);
  if (first) {
    call.first_made = true;
    if (!prepare_first(call, call.waiting)) return true;
  }
  pump(at);
  return true;
}

bool MapFlow::prepare_first(MapCall& call, SharedPieces& pieces) {
  const HoldFacts about = facts(call);
  const std::string& patch = state_.passing.first_map_patch;
  const bool held = state_.passing.holds.wants(HoldPoint::first_map, about);
  if (patch.empty() && !held) return true;
  std::string text = Frames::unpack(pieces, call.compression);
  if (!patch.empty()) {
    json::Document target, change;
    const auto old = target.parse_copy(as_bytes(text));
    const auto by = change.parse_copy(as_bytes(patch));
    if (old && by) text = merge_patch(*old, *by);
    if (auto patched = state_.frames.pack(text, call.compression)) {
      pieces = std::move(patched);
      call.look.reset();
      call.why.named.emplace_back("first-map patch");
    }
  }
  if (!held) return true;
  call.deciding = true;
  auto verdict = state_.passing.holds.ask(
      {HoldPoint::first_map, call.key, about, encoded(*call.request), std::move(text)}, state_.now.mono);
  if (!verdict) {
    state_.stir();
    return false;
  }
  call.deciding = false;
  return true;
}

bool MapFlow::on(const coord_event::MapEnd& event) {
  const auto at = calls_.find({event.session, event.call});
  if (at == calls_.end() || at->second.stage != MapCall::Stage::running) return false;
  at->second.ends = true;
  if (!at->second.waiting)
    tell_end(at);
  else
    pump(at);
  return true;
}

bool MapFlow::on(const coord_event::Refused& event) {
  const auto at = calls_.find({event.session, event.call});
  if (at == calls_.end()) return false;
  state_.coord_events.emplace_back(event);
  end(at, "done");
  return true;
}

bool MapFlow::on(const coord_input::Taken& input) {
  const auto at = calls_.find({input.session, input.call});
  if (at == calls_.end()) return false;
  MapCall& call = at->second;
  const auto flight = std::exchange(call.flight, MapCall::Flight::none);
  if (call.stage == MapCall::Stage::alt) {
    if (AltStreams::Stream* stream = state_.passing.alt_streams.find(call.key); stream && stream->leaving)
      state_.answer(*std::exchange(stream->leaving, std::nullopt), {});
    send_alt(call.key);
    return true;
  }
  if (flight == MapCall::Flight::theirs) state_.inputs.emplace_back(input);
  pump(at);
  return true;
}

// What goes first: the first automatic frame, then what tests have queued, then automatic ones, then the end.
void MapFlow::pump(Calls::iterator at) {
  MapCall& call = at->second;
  if (call.flight != MapCall::Flight::none || call.deciding || call.stage != MapCall::Stage::running) return;
  const NodePublic& node = call.request->node_key;
  RawFrames& raw = state_.passing.raw_frames;
  const bool first_due = !call.first_sent && raw.automatic(node);
  while (!first_due && call.accepted && raw.waits(node) && poll_of(node) == &call)
    if (const auto frame = raw.take(node); auto pieces = state_.frames.pack(frame.json, call.compression))
      return send(call, std::move(pieces), MapCall::Flight::ours, {{std::string(frame.reason)}});
  if (call.waiting) {
    call.first_sent = call.first_made;
    return send(call, std::exchange(call.waiting, nullptr), MapCall::Flight::theirs, std::move(call.why));
  }
  if (call.ends) tell_end(at);
}

// Why the coordinator has made the frame.
Reasons MapFlow::explain(MapCall& call, const SharedPieces& pieces) {
  call.look = look_at(pieces, call.compression, !call.first_made);
  if (call.look->kind == FrameKind::keep_alive) return {{"keep-alive"}};
  const std::uint64_t told = std::exchange(call.told, state_.causes.last());
  if (!call.first_made) return {{call.request->stream ? "first map" : "map, asked for once"}};
  const auto node = state_.coordinator->node(call.request->node_key);
  return state_.causes.since(told, node ? node->record->id : NodeId{}, *call.look);
}

void MapFlow::send(MapCall& call, SharedPieces pieces, MapCall::Flight whose, Reasons why) {
  call.flight = whose;
  call.has_head = true;
  if (!pieces->empty()) note(call, pieces, whose, std::move(why));
  state_.coord_events.emplace_back(coord_event::MapFrame{call.key.session, call.key.call, std::move(pieces)});
}

void MapFlow::note(MapCall& call, const SharedPieces& pieces, MapCall::Flight whose, Reasons why) {
  const bool own = whose == MapCall::Flight::ours;
  std::optional<FrameLook> look;
  if (!own) look = std::exchange(call.look, std::nullopt);
  if (!look) look = look_at(pieces, call.compression, !own);
  Timeline::Frame frame;
  frame.at = state_.now.wall;
  frame.kind = own ? FrameKind::raw : look->kind;
  frame.unpacked = look->unpacked;
  frame.connection = call.connection;
  frame.why = std::move(why);
  ++call.frames;
  state_.timeline.add(call.request->node_key, std::move(frame), pieces, call.compression);
  state_.stir();
}

// The head of the answer without a frame. It is taken like one.
void MapFlow::send_head(MapCall& call) {
  if (call.has_head || call.flight != MapCall::Flight::none) return;
  send(call, std::make_shared<const std::vector<SharedBytes>>(), MapCall::Flight::ours, {});
}

void MapFlow::wake(const NodePublic& node) {
  const MapCall* const call = poll_of(node);
  if (call) pump(calls_.find(call->key));
}

void MapFlow::tell_streams(const std::optional<NodePublic>& node, json::Writer& out) const {
  out.begin_array();
  for (const auto& [key, call] : calls_) {
    const MapRequest& request = *call.request;
    if (node && request.node_key != *node) continue;
    out.begin_object();
    text_member(out, "nodeKey", request.node_key.text());
    number_member(out, "version", static_cast<std::uint64_t>(request.version));
    flag_member(out, "stream", request.stream);
    flag_member(out, "readOnly", request.read_only);
    flag_member(out, "omitPeers", request.omit_peers);
    number_member(out, "connection", call.connection);
    number_member(out, "frames", call.frames);
    flag_member(out, "accepted", call.accepted);
    out.end_object();
  }
  out.end_array();
}

void MapFlow::end_polls(const NodePublic& node) {
  for (auto at = calls_.begin(); at != calls_.end();) {
    const auto one = at++;
    if (!one->second.accepted || one->second.request->node_key != node) continue;
    state_.inputs.push_back(coord_input::Cancelled{one->first.session, one->first.call});
    state_.coord_events.emplace_back(coord_event::MapEnd{one->first.session, one->first.call});
    end(one, "server");
  }
}

// --- streams of tests ---

void MapFlow::send_alt(StreamKey key) {
  const auto at = calls_.find(key);
  AltStreams::Stream* const stream = state_.passing.alt_streams.find(key);
  if (at == calls_.end() || !stream || at->second.flight != MapCall::Flight::none || stream->waiting.empty())
    return;
  AltStreams::Message message = std::move(stream->waiting.front());
  stream->waiting.pop_front();
  stream->leaving = message.call;
  send(at->second, std::move(message.pieces), MapCall::Flight::ours, {{"alt-map stream"}});
}

void MapFlow::end_alt(StreamKey key) {
  const auto at = calls_.find(key);
  if (at == calls_.end()) return;
  state_.coord_events.emplace_back(coord_event::MapEnd{key.session, key.call});
  end(at, "server");
}

// --- ends ---

void MapFlow::tell_end(Calls::iterator at) {
  const MapCall& call = at->second;
  state_.coord_events.emplace_back(coord_event::MapEnd{call.key.session, call.key.call});
  end(at, !call.is_poll() ? "done" : is_replaced(call) ? "replaced" : "server");
}

void MapFlow::end(Calls::iterator at, std::string_view reason) {
  const StreamKey key = at->first;
  note(EventType::map_end, at->second, reason);
  state_.passing.holds.gone(key);
  state_.passing.holds.finished(key);
  for (const CallId call : state_.passing.alt_streams.end(key, state_.now.mono))
    state_.answer(call, error_reply(410, "the stream has ended"));
  calls_.erase(at);
}

void MapFlow::forget() {
  while (!calls_.empty()) end(calls_.begin(), "server");
}

}  // namespace ts2021::admin

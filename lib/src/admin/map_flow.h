// SPDX-License-Identifier: BSD-3-Clause
// Map requests on their way through the desk, and the frames that go back: one in flight for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "admin/state.h"
#include "admin/stream_key.h"
#include "ts2021/msg/map_request.h"

namespace ts2021::admin {

// A request:
//
//   arrived --holds at map-request--> held --continue--> running, or a test's (alt-map)
//   running --frame of the coordinator--> its first is changed and held, the others pass or are dropped
//   any     --end, refusal, its client goes--> none
//
// The coordinator hears Taken only of frames that it made, those that were dropped included.
class MapFlow {
 public:
  explicit MapFlow(State& state) : state_(state) {}

  struct Sender {
    MachinePublic machine;
    std::uint64_t connection = 0;
  };
  void on(const coord_input::Map& input, const Sender& sender);
  // False: it is no map request of the desk's.
  bool on(const coord_input::Taken& input);
  // False as above. True: `forward` says whether the coordinator knows the call.
  bool on(const coord_input::Cancelled& input, bool& forward);
  void session_gone(SessionId session);

  // False: the event is of no map request of the desk's.
  bool on(const coord_event::MapFrame& event);
  bool on(const coord_event::MapEnd& event);
  bool on(const coord_event::Refused& event);

  void on(Verdict verdict);  // map_request, first_map

  [[nodiscard]] std::size_t in_serve_map() const { return calls_.size(); }
  // Whether the node has a map poll that was accepted and has not ended.
  [[nodiscard]] bool polls(const NodePublic& node) const { return poll_of(node) != nullptr; }
  // Whose session the poll is. Precondition: polls().
  [[nodiscard]] MachinePublic machine_of(const NodePublic& node) const { return poll_of(node)->machine; }
  // Something was put into the node's queue.
  void wake(const NodePublic& node);
  // List of the map requests under way; none: of all nodes.
  void tell_streams(const std::optional<NodePublic>& node, json::Writer& out) const;
  // Ends the node's polls, so that it comes again for a whole map.
  void end_polls(const NodePublic& node);
  // Sends what waits on a test's stream.
  void send_alt(StreamKey key);
  // A test ends its stream.
  void end_alt(StreamKey key);
  void forget();

 private:
  struct MapCall {
    StreamKey key;
    MachinePublic machine;
    std::uint64_t connection = 0, number = 0;  // number: in the order of arrival
    std::shared_ptr<const MapRequest> request;
    Compression compression{};
    enum class Stage : std::uint8_t { held, running, alt } stage = Stage::held;
    bool accepted = false;                        // a poll that the coordinator answers
    bool first_made = false, first_sent = false;  // of the automatic frames
    bool deciding = false;                        // the first one is with the holds
    SharedPieces waiting{};                       // the coordinator's, not yet sent
    enum class Flight : std::uint8_t { none, theirs, ours } flight = Flight::none;
    bool has_head = false, ends = false;  // ends: once `waiting` has left
    std::uint64_t told = 0;               // of the causes, by the frames that were made
    Reasons why{};                        // of `waiting`
    std::optional<FrameLook> look{};      // at `waiting`; none: not yet
    std::uint64_t frames = 0;             // sent
    [[nodiscard]] bool is_poll() const { return request->stream && !request->read_only; }
  };
  using Calls = std::map<StreamKey, MapCall>;

  void start(MapCall& call);
  void pump(Calls::iterator at);
  void send(MapCall& call, SharedPieces pieces, MapCall::Flight whose, Reasons why);
  void note(MapCall& call, const SharedPieces& pieces, MapCall::Flight whose, Reasons why);
  [[nodiscard]] Reasons explain(MapCall& call, const SharedPieces& pieces);
  void send_head(MapCall& call);
  // The first automatic frame: false while a hold has it.
  bool prepare_first(MapCall& call, SharedPieces& pieces);
  void end(Calls::iterator at, std::string_view reason);
  void tell_end(Calls::iterator at);
  void note(EventType type, const MapCall& call, std::string_view reason);
  [[nodiscard]] static HoldFacts facts(const MapCall& call);
  [[nodiscard]] const MapCall* poll_of(const NodePublic& node) const;
  [[nodiscard]] bool is_replaced(const MapCall& call) const;

  State& state_;
  Calls calls_;
  std::uint64_t last_ = 0;
};

}  // namespace ts2021::admin

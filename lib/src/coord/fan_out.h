// SPDX-License-Identifier: BSD-3-Clause
// The open maps: what each has been told, who is next, and frames that many of them share.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "coord/map_update.h"
#include "coord/netmap.h"
#include "coord/planted.h"
#include "coord/poll_key.h"
#include "coord/tailnet.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::coord {

// A poll is a cursor into the change log and a phase:
//
//   fresh --full map--> live --Taken, head moved--> live …        (poll, silent_poll)
//   fresh --full map--> over                                       (fetch, silent_fetch)
//   any --closed, replaced, node removed--> over
//
// One frame is in flight at a time. Whoever takes long keeps its cursor and gets one merged frame.
class FanOut {
 public:
  FanOut(Tailnet& tailnet, Entropy& entropy, const CoordinatorConfig& config,
         std::shared_ptr<const Policy> policy);

  // The kind is not `update`; the node exists. An older poll of the node and kind ends.
  void open(PollKey key, NodeId node, const MapRequest& request);
  // The client has gone. The node whose presence ended with it, if it did.
  std::optional<NodeId> close(PollKey key);
  // All polls of a session; visits the nodes whose presence ended.
  template <class Visit>
  void close_session(SessionId session, Visit visit) {
    for (auto at = polls_.lower_bound({session, CallId{}}); at != polls_.end();) {
      if (at->first.session != session) return;
      const PollKey key = (at++)->first;
      if (const auto node = close(key)) visit(*node);
    }
  }
  void taken(PollKey key);
  // Ends the polls of a node that is no more; `last` is what it was.
  void end_polls_of(NodeId node, const NodeState& last);
  [[nodiscard]] bool is_present(NodeId node) const {
    return live_.contains(node) && !planted(Planted::flips_presence);
  }

  void set_policy(std::shared_ptr<const Policy> policy);
  void derp_map_changed() { derp_map_changed_ = tailnet_.log().advance(); }
  [[nodiscard]] const Policy& policy() const { return *policy_; }

  // Time passes: keep-alives, and the start of a round when one is due.
  void advance(Now now);
  [[nodiscard]] std::optional<CoordEvent> next_event();
  [[nodiscard]] std::optional<Instant> next_timeout() const;
  [[nodiscard]] const Coordinator::Counters& counters() const { return counters_; }

 private:
  struct Poll {
    NodeId node{};
    Capability capability{};
    Compression compression{};
    MapKind kind{};
    bool fresh = true;
    bool in_flight = false;
    ViewClass view{};   // of the last frame
    Position cursor{};  // what the client has been told
    Instant last_frame{};
    Instant::duration silence{};  // until a keep-alive
  };
  using Polls = std::map<PollKey, Poll>;
  using CacheKey = std::tuple<ViewClass, CapabilityClass, Compression, Position>;
  enum class Serve : std::uint8_t { frame, nothing, end };

  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] Serve serve(Poll& poll, SharedPieces& out);
  [[nodiscard]] Serve serve_full(Poll& poll, const NodeState& self, SharedPieces& out);
  [[nodiscard]] SharedPieces pack(MapResponse message, Capability capability, Compression compression);
  [[nodiscard]] std::optional<CoordEvent> serve_next();
  void end(Polls::iterator poll);
  void end_for_good(Polls::iterator poll, const NodeState& last);
  void start_round();
  void send_keep_alives();

  Tailnet& tailnet_;
  Entropy& entropy_;
  const CoordinatorConfig& config_;
  std::shared_ptr<const Policy> policy_;
  Position policy_changed_{}, derp_map_changed_{};
  Now now_{};

  Polls polls_;
  std::unordered_map<NodeId, PollKey> live_, silent_;  // at most one of each per node
  std::deque<CoordEvent> events_;
  std::deque<PollKey> fresh_;    // wait for their full map
  std::deque<PollKey> round_;    // of this round, not yet served
  std::vector<PollKey> behind_;  // took a frame when there was news already
  Position round_head_{};        // when the last round started
  Instant round_started_{}, next_round_{};
  bool round_measured_ = true;
  using KeepAlive = std::pair<Instant, PollKey>;
  std::priority_queue<KeepAlive, std::vector<KeepAlive>, std::greater<>> keep_alives_;

  ZstdCompressor compressor_;
  std::map<Compression, SharedPieces> keep_alive_frames_;
  Position cache_head_{};
  std::map<CacheKey, std::optional<SharedPieces>> cache_;  // none: nothing to tell
  Coordinator::Counters counters_;
};

}  // namespace ts2021::coord

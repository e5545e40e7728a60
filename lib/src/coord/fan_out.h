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

#include "coord/audience.h"
#include "coord/full_maps.h"
#include "coord/netmap.h"
#include "coord/one_shots.h"
#include "coord/overrides.h"
#include "coord/planted.h"
#include "coord/tailnet.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::coord {

// A poll is a cursor into the change log and a phase:
//
//   fresh --full map--> live --Taken, head moved--> live …        (poll, silent_poll)
//   fresh --full map--> over                                       (fetch, silent_fetch)
//   any --closed, replaced, node removed--> over
//
// In test mode every frame is a full map, one-shots apart, and is sent when somebody wakes the polls, not
// when the log has moved (TEST-31).
//
// One frame is in flight at a time. Whoever takes long keeps its cursor and gets one merged frame. A round
// looks at the members of audiences for which there is news, and at those whom something concerns alone.
//
// The first change after quiet is told at once. While changes go on, the next round begins no sooner than
// four times the last one's duration after its start, at most a second: telling takes a quarter of the time
// at most.
class FanOut {
 public:
  // Full maps in flight at a time: what waits for its turn costs nothing but its place in a queue. One that
  // has not been taken within 5 s gives its place to the next.
  static constexpr std::size_t max_full_maps_out = 256;

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
  [[nodiscard]] const Policy& policy() const { return *policy_; }
  // What is new is told to whom it concerns. The config has what it has: it is changed before.
  void derp_map_changed() { settings_.derp_map_changed(tailnet_.log().advance()); }
  void dns_changed() { settings_.dns_changed(tailnet_.log().advance()); }
  void set_messages(NodeId node, const Settings::MessageChanges& changes);  // 0: everybody's
  void set_client_version(std::optional<ClientVersion> version);
  void set_dial_plan(std::optional<ControlDialPlan> plan);
  void set_lock(std::optional<TKAInfo> lock);
  void rules_changed(Now now);
  // Whoever changes them tells whom it concerns, by the change log or by one of the next two.
  [[nodiscard]] Overrides& overrides() { return overrides_; }
  void renew(NodeId node);  // its next frame is a full map
  void renew_all();
  // Test mode: every poll gets a frame. `repeat`: with all that there is, the unchanged relay map too.
  void wake(bool repeat);
  // The node's head of the tailnet lock, as it reports it: one that lags is told again (MAP-51).
  void lock_head_reported(NodeId node, const std::string& head);
  // Told once, when the node has a poll, if it has one before `until`. False: too many wait already.
  [[nodiscard]] bool push(NodeId node, OneShot what, Instant until);

  // Time passes: keep-alives, and the start of a round when one is due.
  void advance(Now now);
  [[nodiscard]] std::optional<CoordEvent> next_event();
  [[nodiscard]] std::optional<Instant> next_timeout() const;
  [[nodiscard]] Coordinator::Counters counters() const;

  // For which the node's map says that it can get certificates.
  [[nodiscard]] std::vector<std::string> certificate_names(const NodeRecord& node) const;
  // JSON of the node as it is stored; of the first map that it would get now.
  [[nodiscard]] std::string stored_json(const NodeState& node) const;
  [[nodiscard]] std::string preview(const NodeState& node, WallTime now) const;

 private:
  using CacheKey = std::tuple<std::optional<ViewClass>, CapabilityClass, Compression, Position>;
  enum class Serve : std::uint8_t { frame, nothing, end };

  [[nodiscard]] Snapshot snapshot() const { return snapshot(now_.wall); }
  [[nodiscard]] Snapshot snapshot(WallTime now) const;
  // Who has been told less is behind.
  [[nodiscard]] Position due() const { return config_.test_mode ? woken_ : tailnet_.log().head(); }
  [[nodiscard]] Position renewed(NodeId node) const;
  [[nodiscard]] Serve serve(Poll& poll, SharedPieces& out);
  [[nodiscard]] Serve serve_full(Poll& poll, const NodeState& self, std::optional<Position> told, bool lost,
                                 SharedPieces& out);
  [[nodiscard]] Serve serve_delta(Poll& poll, const NodeState& self, Position cursor, SharedPieces& out);
  [[nodiscard]] Serve serve_shared(const Poll& poll, Position cursor, SharedPieces& out);
  [[nodiscard]] Serve serve_one_shot(const Poll& poll, SharedPieces& out);
  [[nodiscard]] std::optional<SSHPolicy> ssh_news(Poll& poll, const NodeState& self,
                                                  std::optional<Position> told);
  [[nodiscard]] std::optional<SSHPolicy> ssh_of(const NodeState& self, std::vector<Subject>& everybody) const;
  [[nodiscard]] bool takes_one_shot(const Poll& poll) const {
    return poll.kind == MapKind::poll && one_shots_.has(poll.node);
  }
  [[nodiscard]] SharedPieces pack(MapResponse message, Capability capability, Compression compression);
  [[nodiscard]] std::optional<CoordEvent> serve_next();
  void end(Polls::iterator poll);
  void drop(Polls::iterator poll);
  void file(Polls::value_type& poll);  // into its audience
  void unfile(Poll& poll);
  void set_apart(NodeId node);  // its polls
  void call_audiences(Position head);
  void leave(Poll& poll);  // nobody waits for it any more
  [[nodiscard]] bool round_is_over();
  [[nodiscard]] bool wants_full_map(PollKey key) const;  // in mid-stream
  void begin_full_map(PollKey key, Poll& poll);
  void give_up_on_slow_full_maps();
  void end_for_good(Polls::iterator poll, const NodeState& last);
  void start_round();
  void send_keep_alives();
  [[nodiscard]] std::optional<CoordEvent> keep_alive(PollKey key, Poll& poll);
  // The one that fell due while a frame was in flight, now that none is and there is nothing else to tell.
  [[nodiscard]] std::optional<CoordEvent> owed_keep_alive(PollKey key, Poll& poll) {
    return std::exchange(poll.owes_keep_alive, false) ? keep_alive(key, poll) : std::nullopt;
  }

  Tailnet& tailnet_;
  Entropy& entropy_;
  const CoordinatorConfig& config_;
  std::shared_ptr<const Policy> policy_;
  Position all_renewed_{}, woken_{};
  std::unordered_map<NodeId, Position> renewed_;
  Grants grants_;
  mutable Visibility visibility_;  // remembers what it was asked
  Settings settings_;
  Overrides overrides_;
  OneShots one_shots_;
  std::vector<Subject> everybody_;  // as SSH policies need them; empty: not yet asked for
  Now now_{};

  Polls polls_;
  Audiences audiences_;                                // of polls that are not fresh
  std::unordered_map<NodeId, PollKey> live_, silent_;  // at most one of each per node
  std::deque<CoordEvent> events_;
  std::deque<PollKey> fresh_;      // wait for their full map
  std::deque<PollKey> round_;      // of this round, not yet served
  std::vector<PollKey> behind_;    // must be served though the log has not moved
  std::vector<NodeId> concerned_;  // by something that is not in the log, since the last round started
  Position round_head_{};          // when the last round started
  Instant round_started_{}, next_round_{};
  bool round_measured_ = true;
  std::uint32_t round_number_ = 0;
  std::size_t round_size_ = 0, round_out_ = 0;  // polls; of them in flight
  std::size_t full_maps_out_ = 0;               // in flight
  std::deque<std::pair<Instant, PollKey>> full_maps_begun_;
  using KeepAlive = std::pair<Instant, PollKey>;
  std::priority_queue<KeepAlive, std::vector<KeepAlive>, std::greater<>> keep_alives_;

  Coordinator::Counters counters_;
  Packer packer_{counters_};
  FullMaps full_maps_{tailnet_, packer_};
  std::map<Compression, SharedPieces> keep_alive_frames_;
  Position cache_head_{};
  std::map<CacheKey, std::optional<SharedPieces>> cache_;  // none: nothing to tell
};

}  // namespace ts2021::coord

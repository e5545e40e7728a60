// SPDX-License-Identifier: BSD-3-Clause
// A tailnet's life by a seed: clients that come, move, overlap and vanish; a store that answers late, out of
// order and sometimes not in favour; viewers that take their time. Each client folds what it is sent; the
// world knows what it ought to see.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "sim/intent.h"
#include "sim/owner.h"
#include "store/memory_store.h"
#include "support/slow_store.h"
#include "support/strict_fold.h"
#include "support/support.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"

namespace ts2021::test {

class CoordinatorWorld {
 public:
  // After each frame a viewer's map is judged: what has changed, and all of it once in `frames_between_all`.
  CoordinatorWorld(std::uint64_t seed, std::size_t clients, unsigned frames_between_all = 16);

  // Returns the first thing that went wrong, with the step; empty when all is well.
  std::string run(std::size_t steps, std::size_t steps_between_checks);

  // What happened, so that a test can see that it did.
  struct Tally {
    std::size_t frames = 0, full_maps = 0, keep_alives = 0, registrations = 0, updates = 0, cancels = 0,
                replaced = 0, removed = 0, compared = 0, stale = 0, orders = 0, pages = 0;
  };
  Tally tally;
  [[nodiscard]] const Intent::Tally& judged() const { return intent_.tally(); }
  [[nodiscard]] Coordinator::Counters counters() const { return coordinator_.counters(); }

 private:
  struct Call {
    enum class Kind { enroll, poll, update } kind{};
    std::size_t client{};
    bool dead = false;       // cancelled or gone: nothing may come for it
    bool in_flight = false;  // a frame that is not yet taken
    std::uint64_t sequence = 0;
    MapRequest map;
  };
  using Key = std::pair<SessionId, CallId>;
  struct Told {  // about its host, in updates
    DiscoPublic disco;
    std::vector<IpPort> endpoints;
    int home_derp = 900;
    std::string hostname;
    std::vector<IpPrefix> routes;
  };
  struct ClientState : Told {
    Capability capability{};
    bool zstd = false, slow = false, ephemeral = false, ssh = false;
    MachinePublic machine;
    NodePublic key;
    std::uint64_t sequence = 0;  // of its last request
    bool registered = false;
    std::vector<SessionId> sessions;
    std::optional<Key> poll;
    std::unique_ptr<StrictFold> fold;
    Intent::Mark judged;
    bool answered_last = false;  // the last request was an update and is answered
  };

  void act();
  void act_on(std::size_t index);
  void enroll(std::size_t index);
  void log_out(std::size_t index);
  void poll(std::size_t index);
  void update(std::size_t index, bool cancel_at_once);
  void drop_poll(std::size_t index);
  void drop_sessions(std::size_t index);
  SessionId session_of(std::size_t index);
  MapRequest request_of(std::size_t index) const;

  void order(std::optional<Owner::Order> order);

  // Every way into the coordinator: what comes of it is judged before anything else happens.
  template <class Input>
  void tell(const Input& input) {
    intent_.pass(clock_.now.wall);
    coordinator_.handle(input, clock_.now);
    drain();
  }
  void tell(const StoreEvent& event);
  void tell_time();
  void drain();
  void pump();
  void on_event(CoordEvent event);
  void on_frame(const coord_event::MapFrame& frame);
  void take(bool all);
  void advance(std::chrono::milliseconds by);
  void watch_store();
  void on_notice(const coord_event::Notice& notice);
  void settle();
  void compare();
  void compare_store();
  void compare_routers();
  void check(bool good, std::string what);
  Call* alive(SessionId session, CallId call);
  std::uint64_t roll(std::uint64_t sides) { return random_() % sides; }
  template <class K>
  K fresh_key() {
    std::array<std::uint8_t, 32> raw{};
    entropy_.fill(raw);
    return K::from_bytes(raw);
  }

  std::mt19937_64 random_;
  SeededEntropy entropy_;
  Clock clock_;
  std::shared_ptr<MemoryRecords> records_ = std::make_shared<MemoryRecords>();
  MemoryStore inner_{records_}, observer_{records_};
  SlowStore store_;
  Administrator administrator_{records_};
  Intent intent_;
  Owner owner_;
  Coordinator coordinator_;
  std::vector<ClientState> clients_;
  std::map<Key, Call> calls_;
  std::map<NodeId, NodeRecord> stored_;  // which the coordinator may not yet have heard of
  std::map<CommandId, std::function<void()>> orders_;
  std::set<std::string> opened_;  // pages
  std::uint64_t commands_ = 0;
  MapFrameReader plain_reader_{Compression::none}, zstd_reader_{Compression::zstd};  // frames are whole
  std::uint64_t sessions_ = 0, call_ids_ = 0;
  unsigned frames_between_all_;
  std::size_t step_ = 0;
  std::string wrong_;
};

}  // namespace ts2021::test

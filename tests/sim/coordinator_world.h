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

#include "sim/islands.h"
#include "store/memory_store.h"
#include "support/administrator.h"
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
  CoordinatorWorld(std::uint64_t seed, std::size_t clients);

  // Returns the first thing that went wrong, with the step; empty when all is well.
  std::string run(std::size_t steps, std::size_t steps_between_checks);

  // What happened, so that a test can see that it did.
  struct Tally {
    std::size_t frames = 0, full_maps = 0, keep_alives = 0, registrations = 0, updates = 0, cancels = 0,
                replaced = 0, removed = 0, compared = 0, stale = 0, orders = 0, pages = 0, primaries = 0,
                hidden = 0, expanded = 0, shown = 0, paired = 0, laid = 0;
  };
  Tally tally;
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
    bool answered_last = false;  // the last request was an update and is answered
  };

  using Messages = std::map<std::string, DisplayMessage>;

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

  // What the owner orders, and what somebody else writes into the store.
  void order();
  void order(CoordOrder order, std::function<void()> done);  // called when it was carried out
  void order_messages();
  void order_override();
  void order_pairs();
  void order_node();
  void administrate();
  NodeId some_node();

  void pump();
  void on_event(CoordEvent event);
  void on_frame(const coord_event::MapFrame& frame);
  void take(bool all);
  void advance(std::chrono::milliseconds by);
  void watch_store();
  void settle();
  void compare();
  void compare_store();
  void compare_self(const ClientState& client, const NodeRecord& own);
  void compare_settings(const ClientState& client, const NodeRecord& own);
  void compare_peers(const ClientState& client, const NodeRecord& own, const std::set<NodeId>& online);
  void compare_node(const Node& seen, const NodeRecord& record, const ClientState& viewer,
                    const NodeRecord& own);
  void compare_pair(const Node& seen, const NodeRecord& record, const ClientState& viewer,
                    const NodeRecord& own);
  [[nodiscard]] bool hidden(const NodeRecord& peer, const ClientState& viewer, const NodeRecord& own) const;
  [[nodiscard]] std::vector<std::string> addresses_of(bool not_signed, const NodeRecord& viewer) const;
  [[nodiscard]] std::vector<FilterRule> filter_for(const NodeRecord& own, Capability capability) const;
  // The address of the family by which the viewer knows the node; and by which the peer knows the viewer.
  [[nodiscard]] IpAddress address_of(const NodeRecord& node, const NodeRecord& viewer,
                                     IpAddress::Family family) const;
  [[nodiscard]] IpAddress masquerade(const NodePublic& node, const NodePublic& peer,
                                     IpAddress::Family family) const;
  void compare_routes(const Node& seen, const NodeRecord& record);
  void find_primaries(const std::set<NodeId>& online);
  [[nodiscard]] bool expired(const NodeRecord& record) const {
    return record.key_expiry && *record.key_expiry <= clock_.now.wall;
  }
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
  std::shared_ptr<const DERPMap> derp_map_;
  std::shared_ptr<const Policy> policy_;
  Coordinator coordinator_;
  std::vector<ClientState> clients_;
  std::map<Key, Call> calls_;
  std::map<NodeId, NodeRecord> stored_;
  // What was ordered and carried out.
  std::map<CommandId, std::function<void()>> orders_;
  DnsSettings dns_;
  std::optional<ClientVersion> version_;
  std::optional<ControlDialPlan> plan_;
  Messages shown_;
  std::map<NodeId, Messages> shown_to_;
  struct Laid {  // over the maps
    std::map<NodeId, std::vector<IpPrefix>> routes;
    std::map<NodeId, CapMap> capabilities;
    std::set<NodeId> not_signed;
    std::set<std::pair<NodeId, NodeId>> jailed;
    std::vector<Masquerade> masquerades;
    std::optional<CapMap> app_caps;
    std::optional<SSHPolicy> ssh;
    std::optional<DNSConfig> dns;
  };
  Laid laid_;
  std::set<std::string> opened_;          // pages
  std::map<IpPrefix, NodeId> primaries_;  // where somebody online may route
  std::uint64_t commands_ = 0;
  MapFrameReader plain_reader_{Compression::none}, zstd_reader_{Compression::zstd};  // frames are whole
  std::uint64_t sessions_ = 0, call_ids_ = 0;
  std::size_t step_ = 0;
  std::string wrong_;
};

}  // namespace ts2021::test

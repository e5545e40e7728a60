// SPDX-License-Identifier: BSD-3-Clause
// Routes behind nodes: which are in force, and which of several routers has each.
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "ts2021/coord/policy.h"

namespace ts2021::coord {

// 0.0.0.0/0 or ::/0: many nodes may have it, each client picks one.
[[nodiscard]] bool is_exit_route(const IpPrefix& route) noexcept;
// Those that the node advertises and may have (MAP-40): without host bits, sorted, each once.
[[nodiscard]] std::vector<IpPrefix> routes_in_force(const NodeRecord& node);
// Approves what the policy lets the node advertise without asking anybody (MAP-41).
void approve_routes(const Policy& policy, std::string_view login, NodeRecord& node);

// One router per prefix, so that packets have one way (MAP-42). The one that has it keeps it while it is
// online; else the online one of the lowest id gets it; while none is online, nothing moves.
class RouteTable {
 public:
  // What the node offers from now on, without exit routes; offline routers win nothing. Calls moved(NodeId)
  // for each node that has won or lost a prefix, perhaps more than once.
  template <class Moved>
  void set(NodeId node, std::vector<IpPrefix> routes, bool online, Moved moved) {
    for (const IpPrefix& route : replace(node, std::move(routes), online))
      if (const auto [before, after] = elect(route); before != after) {
        if (before != NodeId{}) moved(before);
        if (after != NodeId{}) moved(after);
      }
  }
  // The prefixes that are the node's, sorted.
  [[nodiscard]] std::vector<IpPrefix> primary_of(NodeId node) const;

 private:
  struct Offer {
    std::vector<IpPrefix> routes;
    bool online = false;
  };
  struct Prefix {
    std::set<NodeId> routers;
    NodeId primary{};  // 0: nobody yet
  };
  struct Moved {
    NodeId before{}, after{};
  };

  // All prefixes whose election the change may turn.
  std::vector<IpPrefix> replace(NodeId node, std::vector<IpPrefix> routes, bool online);
  Moved elect(const IpPrefix& route);

  std::unordered_map<NodeId, Offer> offers_;  // of nodes that offer something
  std::map<IpPrefix, Prefix> prefixes_;
};

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// What a test, or an administrator, lays over the maps: nothing of it is in the records.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "coord/change_log.h"
#include "ts2021/coord/record.h"
#include "ts2021/coord/test_mode.h"
#include "ts2021/msg/node.h"

namespace ts2021::coord {

// Of nodes, of pairs of nodes, and of all. Who changes something tells the viewers: override_orders.cc.
class Overrides {
 public:
  struct OfNode {
    std::optional<std::vector<IpPrefix>> routes;  // without host bits
    std::optional<CapMap> capabilities;
    bool unsigned_peer_api_only = false;
    friend bool operator==(const OfNode&, const OfNode&) = default;
  };
  struct OfAll {
    std::optional<CapMap> app_caps;
    std::optional<SSHPolicy> ssh;
    std::optional<DNSConfig> dns;
  };

  [[nodiscard]] const OfNode& of(NodeId node) const;
  template <class Change>
  void change(NodeId node, Change change) {
    OfNode& one = nodes_[node];
    change(one);
    if (one == OfNode{}) nodes_.erase(node);
  }
  [[nodiscard]] bool any_unsigned() const;

  OfAll all;

  void set_jailed(NodeId viewer, NodeId peer, bool jailed);
  void set_masquerades(std::vector<Masquerade> pairs) { masquerades_ = std::move(pairs); }
  [[nodiscard]] const std::vector<Masquerade>& masquerades() const { return masquerades_; }
  [[nodiscard]] bool any_pairs() const { return !jailed_.empty() || !masquerades_.empty(); }
  // Whether the viewer sees some peer otherwise than others do.
  [[nodiscard]] bool concern(const NodeRecord& viewer) const;
  // The peer as this viewer sees it.
  void lay_over(const NodeRecord& viewer, Node& peer) const;

  void forget(NodeId node);

 private:
  std::map<NodeId, OfNode> nodes_;  // those that have any
  std::set<std::pair<NodeId, NodeId>> jailed_;
  std::vector<Masquerade> masquerades_;
};

}  // namespace ts2021::coord

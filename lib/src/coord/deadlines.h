// SPDX-License-Identifier: BSD-3-Clause
// One deadline per node.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "ts2021/base/time.h"
#include "ts2021/coord/id.h"

namespace ts2021::coord {

class Deadlines {
 public:
  void set(NodeId node, Instant at) {
    clear(node);
    of_.emplace(node, at);
    order_.emplace(at, node);
  }
  void clear(NodeId node) {
    const auto found = of_.find(node);
    if (found == of_.end()) return;
    order_.erase({found->second, node});
    of_.erase(found);
  }
  [[nodiscard]] bool has(NodeId node) const { return of_.contains(node); }
  // Takes out one that has come.
  [[nodiscard]] std::optional<NodeId> pop(Instant now) {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    const NodeId node = order_.begin()->second;
    clear(node);
    return node;
  }
  [[nodiscard]] std::optional<Instant> next() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }

 private:
  std::unordered_map<NodeId, Instant> of_;
  std::set<std::pair<Instant, NodeId>> order_;
};

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// What tests send to nodes beside the maps that are made for them: one queue for each node key.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "ts2021/key/key.h"

namespace ts2021::admin {

class RawFrames {
 public:
  static constexpr std::size_t max_queued = 10'000;  // frames of one node

  struct Frame {
    std::string json;         // one map message
    std::string_view reason;  // a literal
  };
  // Behind what waits already. False: too many wait.
  [[nodiscard]] bool add(const NodePublic& node, Frame frame);
  [[nodiscard]] bool waits(const NodePublic& node) const { return queues_.contains(node); }
  // Precondition: waits().
  [[nodiscard]] Frame take(const NodePublic& node);

  // Whether the node gets the maps that are made for it.
  [[nodiscard]] bool automatic(const NodePublic& node) const { return !silent_.contains(node); }
  void stop_automatic(const NodePublic& node) { silent_.insert(node); }
  // False: they were never stopped.
  bool allow_automatic(const NodePublic& node) { return silent_.erase(node) > 0; }

 private:
  std::map<NodePublic, std::deque<Frame>> queues_;  // none is empty
  std::set<NodePublic> silent_;
};

}  // namespace ts2021::admin

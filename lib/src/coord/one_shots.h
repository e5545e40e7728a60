// SPDX-License-Identifier: BSD-3-Clause
// What a node is told once and nobody repeats: it waits for the node's poll, but not for ever.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "coord/deadlines.h"
#include "ts2021/msg/ping.h"
#include "ts2021/msg/small.h"

namespace ts2021 {
struct MapResponse;  // msg/map_response.h
}

namespace ts2021::coord {

struct BrowserUrl {
  std::string url;
};
using OneShot = std::variant<PingRequest, BrowserUrl, Debug>;

// In the order in which they came, one per message (MAP-43).
class OneShots {
 public:
  static constexpr std::size_t max_waiting = 32;  // per node

  // False when too many wait already.
  [[nodiscard]] bool push(NodeId node, OneShot what, Instant until);
  [[nodiscard]] bool has(NodeId node) const { return waiting_.contains(node); }
  // Moves the next one into the message; precondition: has(node).
  void pop_into(NodeId node, MapResponse& message);
  void forget(NodeId node);
  void expire(Instant now);
  [[nodiscard]] std::optional<Instant> next_expiry() const { return expiries_.next(); }

 private:
  struct Waiting {
    OneShot what;
    Instant until{};
  };
  using Queue = std::deque<Waiting>;
  void settle(std::unordered_map<NodeId, Queue>::iterator at);

  std::unordered_map<NodeId, Queue> waiting_;  // never empty ones
  Deadlines expiries_;                         // of each node's earliest
};

}  // namespace ts2021::coord

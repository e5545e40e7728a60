// SPDX-License-Identifier: BSD-3-Clause
// What a viewer is told: full maps and deltas from the tailnet as it is now. Pure functions.
#pragma once

#include <vector>

#include "coord/tailnet.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/coord/policy.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::coord {

// All that maps are made of.
struct Snapshot {
  const Tailnet& tailnet;
  const Policy& policy;
  const CoordinatorConfig& config;
  Position derp_map_changed{};
  WallTime now{};
};

struct Viewer {
  NodeId node{};
  ViewClass view{};
  Capability capability{};
};

[[nodiscard]] Node peer_node(const Snapshot& snapshot, const NodeState& peer);
[[nodiscard]] Node self_node(const Snapshot& snapshot, const NodeState& self);

// Everything (MAP-21), for a viewer that exists. told: what its stream has told before, none for the first
// message. What the client may still have and must not is removed by name when the list of peers is empty
// (MAP-22).
[[nodiscard]] MapResponse full_map(const Snapshot& snapshot, const Viewer& viewer,
                                   std::optional<Position> told);

// What changed after `cursor`, for viewers of a class; `viewer.node` 0: none of those that changed. Nothing
// to tell: none.
[[nodiscard]] std::optional<MapResponse> delta(const Snapshot& snapshot, const Viewer& viewer,
                                               Position cursor);

// The node itself, with a key that has expired: what a deleted node is told last (MAP-29).
[[nodiscard]] MapResponse farewell(const Snapshot& snapshot, const NodeState& self);

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// What a viewer is told: full maps and deltas from the tailnet as it is now. Pure functions.
#pragma once

#include <optional>

#include "coord/node_view.h"

namespace ts2021::coord {

struct Viewer {
  NodeId node{};
  std::optional<ViewClass> view;  // none: waits for approval and sees nobody (MAP-46)
  Capability capability{};
};

// Changes of these alone are nothing to peers.
inline constexpr Parts hidden_from_peers = Part::own | Part::subject;

// How the node sees the tailnet now.
[[nodiscard]] std::optional<ViewClass> view_of(const Snapshot& snapshot, const NodeState& node);

// Whether the viewer has this peer in its map. `viewer.node` 0: the viewers of its class whom no override of
// pairs concerns.
[[nodiscard]] bool visible(const Snapshot& snapshot, const Viewer& viewer, const NodeState& peer);

// A full map but for the list of peers and the profiles of their owners.
[[nodiscard]] MapResponse map_without_peers(const Snapshot& snapshot, const Viewer& viewer,
                                            std::optional<Position> told, bool has_peers);

// Everything (MAP-21), for a viewer that exists. told: what its stream has told before, none for the first
// message. What the client may still have and must not is removed by name when the list of peers is empty
// (MAP-22).
[[nodiscard]] MapResponse full_map(const Snapshot& snapshot, const Viewer& viewer,
                                   std::optional<Position> told);

// Whether a delta for this viewer differs from that of its class.
[[nodiscard]] bool has_own_news(const Snapshot& snapshot, const Viewer& viewer, Position cursor);

// What changed after `cursor`. `viewer.node` 0: for all viewers of the class that have no news of their own.
// Nothing to tell: none.
[[nodiscard]] std::optional<MapResponse> delta(const Snapshot& snapshot, const Viewer& viewer,
                                               Position cursor);

// The node itself, with a key that has expired: what a deleted node is told last (MAP-29).
[[nodiscard]] MapResponse farewell(const Snapshot& snapshot, const NodeState& self);

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// A node as it is told: to itself and to its peers. Pure functions.
#pragma once

#include "coord/grants.h"
#include "coord/overrides.h"
#include "coord/settings.h"
#include "coord/tailnet.h"
#include "coord/visibility.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::coord {

// All that maps are made of.
struct Snapshot {
  const Tailnet& tailnet;
  const Policy& policy;
  const Grants& grants;
  const Settings& settings;
  const Overrides& overrides;
  Visibility& visibility;
  WallTime now{};
};

// The owner of all nodes with tags, as clients see it (MAP-45); no user has this id.
inline constexpr UserId tagged_devices{9'007'199'254'740'991};
[[nodiscard]] UserId shown_owner(const NodeRecord& node);
// "alice.example.com": Node.Name without the trailing dot.
[[nodiscard]] std::string full_name(const NodeRecord& node, const CoordinatorConfig& config);

// As this viewer sees it; null: as all do whom no override of pairs concerns.
[[nodiscard]] Node peer_node(const Snapshot& snapshot, const NodeRecord* viewer, const NodeState& peer);
[[nodiscard]] Node self_node(const Snapshot& snapshot, const NodeState& self);
// As it is kept, without what policy, election, rules and overrides make of it.
[[nodiscard]] Node stored_node(const Snapshot& snapshot, const NodeState& state);
// The addresses by which the viewer, who may be the node, knows it.
[[nodiscard]] std::vector<IpPrefix> addresses_seen(const Snapshot& snapshot, const NodeRecord& viewer,
                                                   const NodeState& state);
// Its key is none any more, or maps say so.
[[nodiscard]] bool is_expired(const Snapshot& snapshot, const NodeState& state);
[[nodiscard]] UserProfile profile(const Tailnet& tailnet, UserId user);

// The parts of a peer that a patch can carry; precondition: patchable().
[[nodiscard]] PeerChange patch(const Snapshot& snapshot, const NodeState& peer, Parts parts);
// Whether a patch can say all of it. Some state may have moved on since the parts were noted: a patch could
// not say that something is gone by now.
[[nodiscard]] bool patchable(const Snapshot& snapshot, const NodeState& peer, Parts parts);

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// A map message in outline: who is there and where, and nothing else. For readers of very many messages, to
// whom the rest would cost most of the time; MapResponse is the whole of it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/id.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

struct NodeOutline {
  NodeId id{};
  NodePublic key;
  std::vector<IpPort> endpoints;
  OptBool online;
  friend bool operator==(const NodeOutline&, const NodeOutline&) = default;
};
constexpr auto fields(const NodeOutline*) {
  return std::tuple{always<"ID", &NodeOutline::id>, always<"Key", &NodeOutline::key>,
                    Field<"Endpoints", &NodeOutline::endpoints>{}, Field<"Online", &NodeOutline::online>{}};
}

struct PeerChangeOutline {
  NodeId node_id{};
  std::optional<std::vector<IpPort>> endpoints;
  OptBool online;
  friend bool operator==(const PeerChangeOutline&, const PeerChangeOutline&) = default;
};
constexpr auto fields(const PeerChangeOutline*) {
  return std::tuple{always<"NodeID", &PeerChangeOutline::node_id>,
                    Field<"Endpoints", &PeerChangeOutline::endpoints>{},
                    Field<"Online", &PeerChangeOutline::online>{}};
}

struct MapOutline {
  bool keep_alive = false;
  std::optional<NodeOutline> node;
  std::vector<NodeOutline> peers;  // the whole list, when it is not empty
  std::vector<NodeOutline> peers_changed;
  std::vector<NodeId> peers_removed;
  std::vector<PeerChangeOutline> peers_changed_patch;
  std::map<NodeId, bool> online_change;
  friend bool operator==(const MapOutline&, const MapOutline&) = default;
};
constexpr auto fields(const MapOutline*) {
  return std::tuple{Field<"KeepAlive", &MapOutline::keep_alive>{},
                    Field<"Node", &MapOutline::node>{},
                    Field<"Peers", &MapOutline::peers>{},
                    Field<"PeersChanged", &MapOutline::peers_changed>{},
                    Field<"PeersRemoved", &MapOutline::peers_removed>{},
                    Field<"PeersChangedPatch", &MapOutline::peers_changed_patch>{},
                    Field<"OnlineChange", &MapOutline::online_change>{}};
}

}  // namespace ts2021

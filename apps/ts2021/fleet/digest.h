// SPDX-License-Identifier: BSD-3-Clause
// What a map message says of the fleet's nodes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ts2021/fleet/identity.h"
#include "ts2021/key/key.h"
#include "ts2021/msg/map_outline.h"

namespace ts2021::app::fleet {

struct PeerNews {
  enum class What : std::uint8_t { listed, patched, removed };
  std::uint32_t node;
  What what;
  OptBool online;
  std::optional<std::uint32_t> generation;  // of its endpoints, when they are told
};

struct Digest {
  bool keep_alive = false;
  bool whole = false;                     // a list of all peers, not a change of it
  std::optional<std::uint32_t> self;      // the node to whom it is told, if the message says so
  std::vector<PeerNews> news;             // in the order of the message
  std::size_t strangers = 0;              // peers that are not of the fleet
  std::size_t packed_size = 0, size = 0;  // bytes, without the size prefix
};

// Which node has which key, and which id the server gave it.
class Directory {
 public:
  explicit Directory(Markers markers) : markers_(markers) {}
  void add(std::uint32_t node, const NodePublic& key) { by_key_.emplace(key, Entry{node, NodeId{}}); }
  // Learns ids from whatever has both. Sizes are left to the caller.
  [[nodiscard]] Digest digest(const MapOutline& message);
  [[nodiscard]] std::optional<std::uint32_t> find(NodeId id) const;
  [[nodiscard]] std::optional<std::uint32_t> find(const NodePublic& key) const;
  [[nodiscard]] const Markers& markers() const noexcept { return markers_; }

 private:
  [[nodiscard]] std::optional<std::uint32_t> learn(const NodeOutline& node);
  [[nodiscard]] std::optional<std::uint32_t> generation(std::uint32_t node,
                                                        const std::vector<IpPort>& endpoints) const;

  struct KeyHash {
    std::size_t operator()(const NodePublic& key) const noexcept;
  };
  struct Entry {
    std::uint32_t node;
    NodeId id;  // as it was told last; 0: never
  };
  Markers markers_;
  std::unordered_map<NodePublic, Entry, KeyHash> by_key_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_id_;
};

}  // namespace ts2021::app::fleet

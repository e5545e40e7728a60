// SPDX-License-Identifier: BSD-3-Clause
// What can be told of a map message by reading it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

#include "ts2021/coord/id.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::admin {

enum class FrameKind : std::uint8_t {
  whole,       // a map
  delta,       // what has changed
  keep_alive,  // nothing
  raw,         // a test's own
  large        // above max_looked_at: not read
};

// Bytes, packed. What is larger would hold up everybody to be shown to few.
inline constexpr std::size_t max_looked_at = std::size_t{64} << 10;

struct FrameLook {
  FrameKind kind = FrameKind::large;
  std::optional<std::size_t> unpacked;  // bytes of JSON; none: not read, or not readable
  std::set<NodeId> nodes;               // that a delta names

  // Whether it may say something of the node.
  [[nodiscard]] bool mentions(NodeId node) const { return kind != FrameKind::delta || nodes.contains(node); }
};

// `first`: of its stream, where every message is whole.
[[nodiscard]] FrameLook look_at(const SharedPieces& pieces, Compression compression, bool first);

}  // namespace ts2021::admin

// SPDX-License-Identifier: BSD-3-Clause
// What a map request says about its node.
#pragma once

#include <optional>

#include "coord/registrar.h"
#include "ts2021/msg/map_request.h"

namespace ts2021::coord {

enum class MapKind : std::uint8_t {
  poll,         // full map, then changes until the client goes; replaces an older poll of the node
  silent_poll,  // the same, but the client does not know itself yet: changes nothing, counts for nothing
  update,       // tells about the node; answered without a body
  fetch,        // tells about the node; answered with one full map
  silent_fetch  // one full map, changes nothing
};
[[nodiscard]] MapKind kind_of(const MapRequest& request) noexcept;  // MAP-20

// The record as it is after the request; none when nothing is to be written. A changed name is in `reserved`.
struct MapUpdate {
  std::optional<NodeRecord> record;
  bool durable = false;
  Reserved reserved;
};
[[nodiscard]] MapUpdate map_update(Registrar& registrar, const Policy& policy, const Subject& before,
                                   const MapRequest& request, WallTime now);

inline constexpr std::size_t max_endpoints = 64;

}  // namespace ts2021::coord

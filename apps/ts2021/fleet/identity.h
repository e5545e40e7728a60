// SPDX-License-Identifier: BSD-3-Clause
// Who the nodes are: keys, names, and endpoints that tell whose they are and how new.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ts2021/key/key.h"
#include "ts2021/msg/primitives.h"

namespace ts2021::app::fleet {

// The range that endpoints are taken of, 198.18.0.0/15, has so many.
inline constexpr std::uint32_t max_nodes = 1u << 17;

struct Identity {
  MachineKeyPair machine;
  NodePublic node;
  DiscoPublic disco;
  std::string hostname;
};
// The same for the same seed and number.
[[nodiscard]] Identity make_identity(std::uint64_t seed, std::uint32_t number);

// The first endpoint of a node names it and counts its changes, so that any message that carries it tells
// which change has arrived, whatever kind of message it is.
class Markers {
 public:
  // Runs with different beginnings are not mistaken for each other.
  explicit Markers(std::uint16_t beginning) noexcept : beginning_(beginning) {}

  struct Mark {
    std::uint32_t node, generation;
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  [[nodiscard]] IpPort endpoint(std::uint32_t node, std::uint32_t generation) const noexcept;
  // None: not ours. Generations above 30,000 are another run's.
  [[nodiscard]] std::optional<Mark> read(const IpPort& endpoint) const noexcept;

 private:
  std::uint16_t beginning_;
};

}  // namespace ts2021::app::fleet

// SPDX-License-Identifier: BSD-3-Clause
// What the configuration wants to be in the store, and blocks of ids.
#pragma once

#include <vector>

#include "coord/tailnet.h"
#include "ts2021/coord/coordinator.h"

namespace ts2021::coord {

inline constexpr std::uint64_t id_block_size = 512;
inline constexpr std::uint64_t id_block_low = 128;  // a new block is asked for when fewer are left

struct Preparation {
  std::vector<Write> writes;
  std::uint64_t begin = 0, end = 0;  // the ids that are ours once it is committed
};

// API-53: the owner and the preset keys exist, keys that were preset once are gone.
[[nodiscard]] Preparation prepare(const Tailnet& tailnet, const CoordinatorConfig& config, WallTime now);
[[nodiscard]] Preparation more_ids(const Tailnet& tailnet);

}  // namespace ts2021::coord

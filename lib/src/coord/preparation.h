// SPDX-License-Identifier: BSD-3-Clause
// What the configuration wants to be in the store, and blocks of ids.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coord/tailnet.h"
#include "ts2021/coord/config.h"

namespace ts2021::coord {

inline constexpr std::uint64_t id_block_size = 512;
inline constexpr std::uint64_t id_block_low = 128;  // a new block is asked for when fewer are left

struct Preparation {
  std::vector<Write> writes;
  std::uint64_t begin = 0, end = 0;  // the ids that are ours once it is committed
};

// In test mode the ids of nodes are 1, 2, 3, … (TEST-2), and there is nothing but the user of all nodes.
// API-53: the owner and the preset keys with their owners exist, keys that were preset once are gone.
[[nodiscard]] Preparation prepare(const Tailnet& tailnet, const CoordinatorConfig& config, WallTime now);
[[nodiscard]] Preparation more_ids(const Tailnet& tailnet, std::uint64_t count);

// The first id that nobody has taken, and the write that takes all below `next`.
[[nodiscard]] std::uint64_t next_id(const Tailnet& tailnet);
[[nodiscard]] Write count_up(const Tailnet& tailnet, std::uint64_t next);

[[nodiscard]] UserRecord new_user(std::string_view login_name, std::string_view provider, UserId id,
                                  WallTime now);
[[nodiscard]] std::string owner_of(const CoordinatorConfig& config, const PresetAuthKey& key);
// The key's attributes; not yet who it is.
[[nodiscard]] AuthKeyRecord record_of(const PresetAuthKey& key, UserId owner, WallTime now);

}  // namespace ts2021::coord

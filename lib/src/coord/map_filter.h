// SPDX-License-Identifier: BSD-3-Clause
// The packet filter of a node: what the policy says, and what is laid over it.
#pragma once

#include <vector>

#include "coord/node_view.h"
#include "ts2021/msg/filter.h"

namespace ts2021::coord {

// What an approved node lets in.
[[nodiscard]] std::vector<FilterRule> filter_of(const Snapshot& snapshot, const NodeState& self,
                                                Capability viewer);

// Whether it names nodes one by one, so that it changes when one comes or goes.
[[nodiscard]] bool filter_lists_nodes(const Snapshot& snapshot);

}  // namespace ts2021::coord

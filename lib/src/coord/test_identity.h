// SPDX-License-Identifier: BSD-3-Clause
// Who nodes are in test mode: all of it follows from their number (TEST-2, TEST-3).
#pragma once

#include <string>
#include <string_view>

#include "ts2021/coord/record.h"
#include "ts2021/coord/test_mode.h"

namespace ts2021::coord {

// Who owns all nodes where Rules.all_nodes_same_user says so.
inline constexpr UserId same_user{123};
[[nodiscard]] UserRecord test_user(UserId id, WallTime now);

[[nodiscard]] std::string test_stable_id(NodeId node);
// The node's number behind 100.64.0.0; it may be no assignable address.
[[nodiscard]] Ipv4Address test_address(NodeId node);
// Node.Name: the hostname itself, or under the domain of the rules. A hostname that is none is made one.
[[nodiscard]] std::string test_name(std::string_view hostname, NodeId node, const Rules& rules);
// What new nodes may do when the rules say nothing of it.
[[nodiscard]] CapMap test_capabilities();

}  // namespace ts2021::coord

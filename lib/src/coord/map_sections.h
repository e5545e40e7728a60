// SPDX-License-Identifier: BSD-3-Clause
// The parts of a map that are told whole when they change: relays, DNS, messages and the like.
#pragma once

#include "coord/node_view.h"

namespace ts2021::coord {

// Adds those that the node (0: all viewers alike) has not been told; `told` none: the first message of a
// stream, so all that say anything. True when there were any. In test mode all that say anything are told
// again (TEST-31).
bool add_sections(const Snapshot& snapshot, NodeId node, std::optional<Position> told, MapResponse& out);

// MAP-49; none: nothing is said about it.
[[nodiscard]] std::optional<DNSConfig> dns_config(const Snapshot& snapshot, const NodeRecord& node);

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// The capabilities of a node, as itself and its peers are told.
#pragma once

#include "coord/grants.h"
#include "ts2021/coord/config.h"

namespace ts2021::coord {

// What every node has by the config as it is now, what the policy gives, what the record gives; the last
// wins.
[[nodiscard]] CapMap own_capabilities(const NodeRecord& node, std::string_view login,
                                      const Grants::Of& grants, const CoordinatorConfig& config);
// Of these what peers read, and the source capabilities.
[[nodiscard]] CapMap peer_capabilities(const NodeRecord& node, const Grants::Of& grants);
// Whether a change of a record's capabilities is one for peers.
[[nodiscard]] bool peers_read_other(const CapMap& before, const CapMap& after);
[[nodiscard]] std::vector<std::string> names_of(const CapMap& capabilities);
// What `default-auto-update` among them says.
[[nodiscard]] OptBool default_auto_update(const CapMap& capabilities);

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// What nodes ask for.
#pragma once

#include <string>

#include "ts2021/fleet/node.h"
#include "ts2021/msg/capability.h"

namespace ts2021::app::fleet {

struct Speech {
  Capability capability = newest_capability;
  Compression compression = Compression::zstd;
  std::string auth_key;  // may be empty
};

[[nodiscard]] std::string register_request(const Node& node, const Speech& speech);
enum class MapPurpose { update, stream };
[[nodiscard]] std::string map_request(const Node& node, const Speech& speech, const Markers& markers,
                                      MapPurpose purpose);

}  // namespace ts2021::app::fleet

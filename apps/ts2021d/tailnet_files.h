// SPDX-License-Identifier: BSD-3-Clause
// Files that say how the tailnet is; they are read again on SIGHUP.
#pragma once

#include <memory>
#include <string>

namespace ts2021 {
struct DERPMap;  // msg/derp.h
}

namespace ts2021::app {

// Throws std::runtime_error that names the file.
[[nodiscard]] std::shared_ptr<const DERPMap> read_derp_map(const std::string& path);

}  // namespace ts2021::app

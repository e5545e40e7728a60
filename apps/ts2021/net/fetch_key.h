// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "ts2021/msg/capability.h"
#include "ts2021/msg/server_key.h"
#include "ts2021/net/dial.h"

namespace ts2021::app {

// GET /key as a client of this version. Throws std::runtime_error.
[[nodiscard]] ServerKey fetch_key(const ControlUrl& url, const DialOptions& options, Capability capability);

}  // namespace ts2021::app

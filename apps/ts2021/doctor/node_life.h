// SPDX-License-Identifier: BSD-3-Clause
// The hops of a node: register, map, keep-alive.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "ts2021/doctor/way_in.h"
#include "ts2021/msg/capability.h"

namespace ts2021::app {

struct LifeOptions {
  std::string auth_key;
  std::chrono::duration<double> keep_alive{0};     // how long to watch the stream behind the map
  std::chrono::duration<double> max_silence{120};  // on it, in seconds, before clients give up
};

// Registers a new ephemeral node, asks for its map, watches the stream, and logs out.
[[nodiscard]] std::vector<Record> live(const Reach& reach, Way way, const Identity& identity,
                                       const LifeOptions& options);

}  // namespace ts2021::app

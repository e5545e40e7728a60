// SPDX-License-Identifier: BSD-3-Clause
// The subcommands of ts2021. Each returns the exit code and throws std::runtime_error for what a user can
// mend.
#pragma once

#include <string>

#include "ts2021/key/key.h"
#include "ts2021/msg/capability.h"
#include "ts2021/msg/server_key.h"

namespace ts2021::app {

struct KeyOptions {
  std::string url;
  unsigned capability = static_cast<unsigned>(newest_capability);
  bool json = false;
};
[[nodiscard]] int run_key(const KeyOptions& options);
[[nodiscard]] ServerKey fetch_key(const std::string& url, Capability capability);

struct MapOptions {
  std::string url;
  std::string auth_key;
  std::string hostname = "ts2021";
  std::string state;  // path; empty: new keys every time
  unsigned capability = static_cast<unsigned>(newest_capability);
  double seconds = 0;     // 0: until the server ends it
  std::size_t peers = 0;  // end as soon as this many peers are in the map; 0: no such end
  bool websocket = false;
  bool no_compression = false;
  bool ephemeral = false;
  bool json = false;
};
[[nodiscard]] int run_map(const MapOptions& options);

}  // namespace ts2021::app

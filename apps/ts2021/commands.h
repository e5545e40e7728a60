// SPDX-License-Identifier: BSD-3-Clause
// The subcommands of ts2021. Each returns the exit code and throws std::runtime_error for what a user can
// mend.
#pragma once

#include <cstdint>
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

struct ReplayOptions {
  std::string capture;        // path
  std::string url;            // of a server, to which the client's side is played; or
  std::string listen;         // address:port, where the server's side is played
  std::string auth_key;       // in the place of the recorded ones; empty: as they were
  std::uint64_t session = 0;  // only this one; 0: all
  double patience = 10;       // seconds for an answer
  bool timed = false;         // requests and answers at their recorded times; else as soon as it makes sense
  bool once = false;          // listen: end when everything recorded has been asked
  bool json = false;
};
[[nodiscard]] int run_replay(const ReplayOptions& options);

struct CorpusOptions {
  std::string capture, directory;  // paths
  std::size_t max_size = 4096;     // bytes of a seed; larger ones are left out
};
[[nodiscard]] int run_corpus(const CorpusOptions& options);

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ts2021/msg/capability.h"

namespace ts2021::app::fleet {

struct Options {
  std::string url, auth_key;
  std::uint32_t nodes = 100;
  std::vector<std::string> scenarios{"join", "idle", "fan-out"};
  std::uint32_t in_flight = 64;  // of joins; storms begin all at once
  double rate = 0;               // a second: joins (0: no limit), changes of churn and roam (0: 10)
  double hold = 10;              // seconds that idle, churn and roam last
  double part = 0.1;             // of the nodes that churn
  double absence = 1;            // seconds that they stay away
  double settle = 1;             // seconds without news that count as quiet
  double patience = 30;          // seconds for one operation, or for the last to hear of a change
  double timeout = 600;          // seconds of the whole run
  unsigned rounds = 5;           // of fan-out
  unsigned samples = 10;         // of full-map
  std::uint32_t fold = 8;        // nodes whose messages are folded
  unsigned capability = static_cast<unsigned>(newest_capability);
  std::string compress = "zstd";
  bool omit_peers = false;  // of storm
  bool apart = false;       // nobody is to see anybody
  std::uint64_t seed = 0;   // 0: another one every time
  unsigned sources = 8;     // local addresses, for servers of the loopback
  int server_pid = 0;
  std::string json, plot;  // paths; json "-": standard output
  bool progress = false;   // also where no terminal is
};

}  // namespace ts2021::app::fleet

// SPDX-License-Identifier: BSD-3-Clause
// A node that registers and asks for its map, for the commands that show what comes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "ts2021/client/node_client.h"
#include "ts2021/node/c2n.h"
#include "ts2021/node/host.h"
#include "ts2021/node/link.h"

namespace ts2021::app {

struct StreamingOptions {
  NodeTarget node;
  HostFlags host;
  std::string auth_key;
  bool no_register = false, ephemeral = false, no_compression = false;
  bool fetch = false, omit_peers = false, read_only = false;
  std::vector<std::string> endpoints;
  int derp = 0;
  double seconds = 0;  // 0: until the server ends it
  std::size_t max_message = max_map_message;
};
// All but fetch, omit_peers and read_only.
void add_streaming(CLI::App& command, StreamingOptions& options);

inline constexpr const char* streaming_exit_codes =
    "Exit code: 0 as ordered, 2 the connection or the stream ended or made no sense, 3 refused, 4 a person "
    "has to "
    "log in, 1 for anything else.";

struct StreamingHandler {
  std::function<bool(node_event::MapUpdate&&)> on_map;  // false: enough
  std::function<void(const node_event::Registered&)> on_registered = [](const auto&) {};
  const C2nAnswers* answers = nullptr;  // null: pings stay unanswered
  std::function<void(const PingReply&, const std::string& outcome)> on_ping = [](const auto&, const auto&) {};
  std::function<bool()> done = [] { return false; };  // asked after each ping
};

// Runs until the end, `seconds` or on_map() says so; what goes wrong is told on stderr. The exit code.
[[nodiscard]] int run_streaming(const StreamingOptions& options, const StreamingHandler& handler);

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// The part of the command line that makes a server for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/socket.h"

namespace CLI {
class App;
}

namespace ts2021::app {

// Where the admin API listens: at a TCP endpoint, or at a Unix socket.
struct AdminAddress {
  Endpoint endpoint;
  std::string path;  // empty: TCP
};

struct TestFlags {
  bool test_mode = false;
  std::optional<AdminAddress> admin;  // none: there is no admin API
  std::string admin_token;            // empty: whoever reaches it may use it
  std::optional<std::uint64_t> seed;  // none: real randomness
  bool virtual_clock = false;
  std::string faults;  // file; empty: none from the start
};

// `flags` must live until the line is parsed. To be called after --state-dir was added.
void add_test_flags(CLI::App& app, TestFlags& flags);

// "HOST:PORT", ":PORT" of the loopback, or "unix:PATH".
[[nodiscard]] std::optional<AdminAddress> parse_admin_address(const std::string& text);

}  // namespace ts2021::app

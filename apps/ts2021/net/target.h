// SPDX-License-Identifier: BSD-3-Clause
// The server that a subcommand speaks to, and as which client: the flags that all of them share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "ts2021/msg/capability.h"
#include "ts2021/net/dial.h"

namespace ts2021::app {

struct Target {
  std::string url;
  DialOptions dial;
  double timeout = 10;  // seconds, what --timeout sets; dialing() has it too
  unsigned capability = static_cast<unsigned>(newest_capability);

  [[nodiscard]] ControlUrl control() const { return parse_url(url); }
  [[nodiscard]] DialOptions dialing() const;
  [[nodiscard]] Capability version() const { return static_cast<Capability>(capability); }
};

// --timeout, --ca, --insecure.
void add_dialing(CLI::App& command, Target& target);
// URL and --capability too.
void add_target(CLI::App& command, Target& target);

}  // namespace ts2021::app

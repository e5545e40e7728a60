// SPDX-License-Identifier: BSD-3-Clause
// What a node says of its host, by flags.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "ts2021/msg/hostinfo.h"

namespace ts2021::app {

struct HostFlags {
  std::string hostname = "ts2021";
  std::vector<std::string> tags;
  std::vector<std::string> routes;

  // Throws std::runtime_error for what is no prefix.
  [[nodiscard]] Hostinfo hostinfo() const;
};

// --hostname, --tags, --routes.
void add_host(CLI::App& command, HostFlags& flags);

}  // namespace ts2021::app

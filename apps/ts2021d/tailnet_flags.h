// SPDX-License-Identifier: BSD-3-Clause
// The part of the command line that is about the tailnet rather than about the program.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ts2021/coord/config.h"
#include "ts2021/msg/small.h"
#include "ts2021/policy/policy_file.h"

namespace CLI {
class App;
}

namespace ts2021::app {

struct TailnetFlags {
  CoordinatorConfig coordinator;  // without the relays and the login URL
  std::string derp_map;           // path; empty: no relays
  std::string policy;             // path; empty: everybody reaches everybody
  PolicyRoles roles;
  bool login_page = false;
  std::optional<ClientVersion> client_version;  // none: nothing is said
};

// `flags` must live until the line is parsed.
void add_tailnet_flags(CLI::App& app, TailnetFlags& flags);

}  // namespace ts2021::app

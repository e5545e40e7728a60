// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/scenario.h"

#include <algorithm>
#include <array>

namespace ts2021::app::fleet {
namespace {

constexpr std::array table{
    Scenario{"connect", "all nodes connect, up to HTTP/2, and are reset", run_connect, true},
    Scenario{"register", "all nodes connect and register, and are reset", run_register, true},
    Scenario{"join", "all nodes connect, register, tell endpoints and open a stream; the others see them",
             run_join},
    Scenario{"idle", "all is quiet for --hold seconds", run_idle},
    Scenario{"fan-out", "--rounds times one node gets a new endpoint, and all others hear of it",
             run_fan_out},
    Scenario{"churn", "for --hold seconds --rate times a second one node of --part leaves and comes back",
             run_churn},
    Scenario{"roam", "for --hold seconds --rate times a second a node gets a new endpoint and home relay",
             run_roam},
    Scenario{"storm", "all connections are reset, and all nodes come back at once", run_storm},
    Scenario{"full-map", "--samples times, one after the other, a node opens its stream anew", run_full_map},
};

}  // namespace

std::span<const Scenario> scenarios() noexcept { return table; }

const Scenario* find_scenario(std::string_view name) noexcept {
  const auto* found = std::find_if(table.begin(), table.end(),
                                   [&](const Scenario& scenario) { return scenario.name == name; });
  return found == table.end() ? nullptr : found;
}

}  // namespace ts2021::app::fleet

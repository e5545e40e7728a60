// SPDX-License-Identifier: BSD-3-Clause
// What the fleet does. Scenarios run one after the other with the same nodes; all but `first` ones need those
// of join.
#pragma once

#include <span>
#include <string_view>

#include "ts2021/fleet/fleet.h"
#include "ts2021/fleet/outcome.h"

namespace ts2021::app::fleet {

struct Scenario {
  std::string_view name, text;
  void (*run)(Fleet& fleet, Outcome& result);
  bool first = false;  // comes before join
};
[[nodiscard]] std::span<const Scenario> scenarios() noexcept;
[[nodiscard]] const Scenario* find_scenario(std::string_view name) noexcept;

void run_connect(Fleet& fleet, Outcome& result);
void run_register(Fleet& fleet, Outcome& result);
void run_join(Fleet& fleet, Outcome& result);
void run_idle(Fleet& fleet, Outcome& result);
void run_fan_out(Fleet& fleet, Outcome& result);
void run_churn(Fleet& fleet, Outcome& result);
void run_roam(Fleet& fleet, Outcome& result);
void run_storm(Fleet& fleet, Outcome& result);
void run_full_map(Fleet& fleet, Outcome& result);

// One of those for which `fits` is true; null when none is found soon.
template <class Fits>
[[nodiscard]] Node* pick(Fleet& fleet, Fits&& fits) {
  auto& nodes = fleet.nodes();
  for (int i = 0; i < 64; ++i) {
    Node& node = nodes[fleet.random()() % nodes.size()];
    if (fits(node)) return &node;
  }
  return nullptr;
}

// Latencies of the ledger, as `name` and `name`_last.
inline void take_tally(const Ledger::Tally& tally, const std::string& name, Outcome& result) {
  result.ms[name].add(tally.each);
  result.ms[name + "_last"].add(tally.last);
}

}  // namespace ts2021::app::fleet

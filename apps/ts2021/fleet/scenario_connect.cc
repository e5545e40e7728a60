// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/scenario.h"

namespace ts2021::app::fleet {
namespace {

constexpr auto late_work = std::chrono::milliseconds{200};  // what servers do after the last answer

// Brings those who are off so far up, and resets all at the end.
void bring_up(Fleet& fleet, const Errand& errand, const std::string& last_step, Outcome& result) {
  constexpr unsigned tries = 3;
  const Options& options = fleet.options();
  fleet.set_pace(options.in_flight, options.rate, tries);
  fleet.start_clock();
  std::vector<Node*> all;
  for (Node& node : fleet.nodes()) {
    if (node.phase != Node::Phase::off) continue;
    fleet.bring(node, errand, std::nullopt);
    all.push_back(&node);
  }
  (void)fleet.run_until([&] { return fleet.at_rest(); }, std::chrono::hours{24});
  fleet.stop_clock();
  const double taken = result.seconds;
  fleet.run_for(late_work);
  fleet.stop_clock();
  result.seconds = taken;
  result.done = result.ms[last_step].count();
  result.missing += all.size() - std::min<std::size_t>(all.size(), result.done);
  for (Node* node : all) fleet.leave(*node);
  fleet.finish(false);
}

}  // namespace

void run_connect(Fleet& fleet, Outcome& result) {
  bring_up(fleet, {.stream = false}, "upgrade_noise", result);
}

void run_register(Fleet& fleet, Outcome& result) {
  bring_up(fleet, {.enroll = true, .stream = false}, "register", result);
}

}  // namespace ts2021::app::fleet

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/scenario.h"

namespace ts2021::app::fleet {

void run_join(Fleet& fleet, Outcome& result) {
  constexpr unsigned tries = 3;
  const Options& options = fleet.options();
  fleet.set_pace(options.in_flight, options.rate, tries);
  fleet.start_clock();
  for (Node& node : fleet.nodes())
    if (node.phase == Node::Phase::off)
      fleet.bring(node, {.enroll = true, .update = true}, Change::Kind::join);
  (void)fleet.run_until([&] { return fleet.at_rest(); }, std::chrono::hours{24});
  const auto opened = result.ms["total"].count();
  (void)fleet.run_until([&] { return fleet.ledger().open() == 0; }, seconds(options.patience));
  fleet.stop_clock();
  result.done = opened;
  take_tally(fleet.ledger().tally(Change::Kind::join), "visible", result);
  result.values.emplace_back("visible_to_all",
                             static_cast<double>(fleet.ledger().tally(Change::Kind::join).complete));
  fleet.finish();
}

}  // namespace ts2021::app::fleet

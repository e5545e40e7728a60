// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/scenario.h"

namespace ts2021::app::fleet {

void run_roam(Fleet& fleet, Outcome& result) {
  constexpr double usual_rate = 10;
  const Options& options = fleet.options();
  const double rate = options.rate > 0 ? options.rate : usual_rate;
  std::uint64_t moves = 0;
  (void)fleet.settle();
  fleet.start_clock();
  const Instant begun = now().mono, end = begun + seconds(options.hold);
  Instant next = begun;
  const auto tick = [&] {
    const Instant at = now().mono;
    for (; next <= at && at < end; next += seconds(1 / rate)) {
      Node* const node = pick(fleet, [&](const Node& n) { return fleet.can_move(n); });
      if (node == nullptr) continue;
      node->home_derp = 3 - node->home_derp;  // 1 and 2 in turn
      fleet.move(*node);
      ++moves;
    }
    return at >= end;
  };
  (void)fleet.run_until(tick, std::chrono::hours{24});
  (void)fleet.run_until([&] { return fleet.ledger().open() == 0; }, seconds(options.patience));
  fleet.stop_clock();
  const Ledger::Tally& tally = fleet.ledger().tally(Change::Kind::move);
  result.done = tally.each.count();
  result.values.emplace_back("moves", static_cast<double>(moves));
  result.values.emplace_back("moves_seen_by_all", static_cast<double>(tally.complete));
  take_tally(tally, "delta", result);
  result.ms["post"].add(fleet.posts);
  fleet.finish();
}

}  // namespace ts2021::app::fleet

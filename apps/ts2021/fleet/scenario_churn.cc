// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <deque>

#include "ts2021/fleet/scenario.h"

namespace ts2021::app::fleet {
namespace {

constexpr double usual_rate = 10;

struct Away {
  std::uint32_t node;
  Instant until;
};

void come_back(Fleet& fleet, std::uint32_t number) {
  Node& node = fleet.nodes()[number];
  // Whoever has not heard that it left need not hear it any more.
  fleet.ledger().drop(number, Change::Kind::leave);
  ++node.generation;
  fleet.bring(node, {.update = true}, Change::Kind::move);
}

}  // namespace

void run_churn(Fleet& fleet, Outcome& result) {
  const Options& options = fleet.options();
  const auto churning = std::max<std::uint32_t>(
      1, static_cast<std::uint32_t>(std::lround(options.part * static_cast<double>(options.nodes))));
  const double rate = options.rate > 0 ? options.rate : usual_rate;
  fleet.set_pace(0, 0, 0);
  std::deque<Away> away;
  std::uint64_t leaves = 0;
  (void)fleet.settle();
  fleet.start_clock();
  const Instant begun = now().mono, end = begun + seconds(options.hold);
  Instant next = begun;
  const auto tick = [&] {
    const Instant at = now().mono;
    while (!away.empty() && away.front().until <= at) {
      come_back(fleet, away.front().node);
      away.pop_front();
    }
    for (; next <= at && at < end; next += seconds(1 / rate)) {
      Node* const node = pick(fleet, [&](const Node& n) { return n.number < churning && fleet.can_move(n); });
      if (node == nullptr) continue;
      fleet.leave(*node);
      fleet.ledger().begin({node->number, Change::Kind::leave, node->generation, at}, fleet.streaming());
      away.push_back({node->number, at + seconds(options.absence)});
      ++leaves;
    }
    return at >= end && away.empty() && fleet.at_rest();
  };
  (void)fleet.run_until(tick, std::chrono::hours{24});
  (void)fleet.run_until([&] { return fleet.ledger().open() == 0; }, seconds(options.patience));
  fleet.stop_clock();
  result.done = result.ms["total"].count();
  take_tally(fleet.ledger().tally(Change::Kind::leave), "gone", result);
  take_tally(fleet.ledger().tally(Change::Kind::move), "back", result);
  result.values.emplace_back("leaves", static_cast<double>(leaves));
  fleet.finish();
}

}  // namespace ts2021::app::fleet

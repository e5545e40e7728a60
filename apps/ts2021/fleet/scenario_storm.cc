// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/scenario.h"

namespace ts2021::app::fleet {

// Real clients do not register again, they open their stream.
void run_storm(Fleet& fleet, Outcome& result) {
  const Options& options = fleet.options();
  fleet.set_pace(0, 0, 0);
  std::vector<Node*> all;
  (void)fleet.settle();
  fleet.start_clock();
  const Instant cut = now().mono;
  for (Node& node : fleet.nodes())
    if (node.phase == Node::Phase::streaming) {
      fleet.leave(node);
      all.push_back(&node);
    }
  fleet.epoch = now().mono;
  for (Node* node : all) fleet.bring(*node, {.omit_peers = options.omit_peers}, std::nullopt);
  (void)fleet.run_until([&] { return fleet.at_rest(); }, std::chrono::hours{24});
  fleet.stop_clock();
  result.done = result.ms["served"].count();
  result.missing += all.size() - std::min<std::size_t>(all.size(), fleet.streaming().size());
  result.values.emplace_back("cut_took_ms", in_seconds(*fleet.epoch - cut) * 1000);
  result.values.emplace_back("omit_peers", options.omit_peers ? 1 : 0);
  // Whether a stream that omits peers is told of them later is the server's matter.
  fleet.finish(!options.omit_peers);
}

}  // namespace ts2021::app::fleet

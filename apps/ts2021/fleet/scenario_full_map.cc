// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "ts2021/fleet/scenario.h"

namespace ts2021::app::fleet {

void run_full_map(Fleet& fleet, Outcome& result) {
  const Options& options = fleet.options();
  auto& nodes = fleet.nodes();
  const std::size_t count = std::min<std::size_t>(options.samples, nodes.size());
  std::size_t peers = 0;
  (void)fleet.settle();
  fleet.start_clock();
  for (std::size_t i = 0; i < count && !fleet.over(); ++i) {
    Node& node = nodes[i * (nodes.size() / count)];
    if (node.phase != Node::Phase::streaming) continue;
    const std::uint64_t before = node.bytes_in;
    fleet.reopen(node);
    if (!fleet.run_until([&] { return node.phase == Node::Phase::streaming; }, seconds(options.patience)))
      continue;
    result.bytes["tcp"].add(node.bytes_in - before);
    peers = std::max(peers, fleet.peers(node.number));
    ++result.done;
  }
  fleet.stop_clock();
  result.values.emplace_back("peers", static_cast<double>(peers));
  fleet.finish();
}

}  // namespace ts2021::app::fleet

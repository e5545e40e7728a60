// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/scenario.h"

namespace ts2021::app::fleet {
namespace {

Round run_round(Fleet& fleet, Node& source, Outcome& result) {
  const Options& options = fleet.options();
  Ledger& ledger = fleet.ledger();
  ledger.reset_tallies();
  std::vector<std::uint64_t> bytes_before;
  for (const Node& node : fleet.nodes()) bytes_before.push_back(node.bytes_in);
  const Histogram all_frames = std::exchange(result.bytes["frame"], {});
  const auto server_before =
      options.server_pid != 0 ? sample_process(options.server_pid) : std::optional<ProcessSample>();
  fleet.posts = {};
  const Instant begun = now().mono;
  fleet.move(source);
  (void)fleet.run_until([&] { return ledger.open() == 0 && !source.call; }, seconds(options.patience));
  Round round;
  round.seconds = in_seconds(now().mono - begun);
  (void)fleet.settle();

  const Ledger::Tally& tally = ledger.tally(Change::Kind::move);
  round.reached = tally.each.count();
  round.missing = ledger.missing();
  round.delta = tally.each;
  round.post_ms = static_cast<double>(fleet.posts.max()) / 1000;
  round.frame_bytes = result.bytes["frame"];
  result.bytes["frame"].add(all_frames);
  for (const Node& node : fleet.nodes())
    if (node.number != source.number) round.tcp_bytes.add(node.bytes_in - bytes_before[node.number]);
  if (server_before)
    if (const auto after = sample_process(options.server_pid))
      round.server_cpu_s = after->cpu_s - server_before->cpu_s;
  return round;
}

}  // namespace

void run_fan_out(Fleet& fleet, Outcome& result) {
  (void)fleet.settle();
  fleet.start_clock();
  for (unsigned i = 0; i < fleet.options().rounds && !fleet.over(); ++i) {
    Node* const source = pick(fleet, [&](const Node& node) { return fleet.can_move(node); });
    if (source == nullptr) break;
    Round round = run_round(fleet, *source, result);
    result.done += round.reached;
    result.ms["delta"].add(round.delta);
    if (round.delta.count() != 0) result.ms["last_peer"].add(round.delta.max());
    result.bytes["tcp_per_peer"].add(round.tcp_bytes);
    result.ms["post"].add(fleet.posts);
    result.rounds.push_back(std::move(round));
  }
  fleet.stop_clock();
  fleet.finish();
}

}  // namespace ts2021::app::fleet

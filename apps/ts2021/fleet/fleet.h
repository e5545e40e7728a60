// SPDX-License-Identifier: BSD-3-Clause
// The nodes together with what is known of them: what scenarios work with.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "ts2021/fleet/bit_set.h"
#include "ts2021/fleet/decode_cache.h"
#include "ts2021/fleet/digest.h"
#include "ts2021/fleet/engine.h"
#include "ts2021/fleet/fold_sample.h"
#include "ts2021/fleet/knowledge.h"
#include "ts2021/fleet/ledger.h"
#include "ts2021/fleet/options.h"
#include "ts2021/fleet/outcome.h"
#include "ts2021/fleet/progress.h"

namespace ts2021::app::fleet {

[[nodiscard]] constexpr std::chrono::nanoseconds seconds(double count) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(count));
}
[[nodiscard]] inline double in_seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

class Fleet final : private Listener {
 public:
  Fleet(const Options& options, Server server);

  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] std::deque<Node>& nodes() noexcept { return nodes_; }
  [[nodiscard]] const BitSet& streaming() const noexcept { return streaming_; }
  [[nodiscard]] Ledger& ledger() noexcept { return ledger_; }
  // In the list of this node.
  [[nodiscard]] std::size_t peers(std::uint32_t node) const noexcept { return knowledge_.peers(node); }
  [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }
  [[nodiscard]] const DecodeCache& cache() const noexcept { return cache_; }
  [[nodiscard]] const FoldSample& folds() const noexcept { return folds_; }
  [[nodiscard]] std::uint64_t news_count() const noexcept { return news_count_; }
  [[nodiscard]] std::uint64_t keep_alive_count() const noexcept { return keep_alive_count_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& drops() const noexcept { return drops_; }

  // ---- for scenarios

  // Everything that happens from now on is counted in `result`, which has to live.
  void begin(Outcome& result);
  // Between the two the costs are measured, and the time.
  void start_clock();
  void stop_clock();
  // Waits until all is quiet, and looks whether everybody knows what he should.
  void finish(bool check_peers = true);

  // The way up, in the order of the calls, with at most so many under way: 0 is all. A node that fails tries
  // again up to `tries` times; 0: for ever. Others should hear of it as of a change of this kind.
  void set_pace(std::uint32_t in_flight, double rate, unsigned tries);
  void bring(Node& node, const Errand& errand, std::optional<Change::Kind> change);
  // Nothing is waiting or under way.
  [[nodiscard]] bool at_rest() const noexcept {
    return queue_.empty() && delayed_.empty() && under_way_ == 0;
  }
  // Resets its connection; it stays away until it is brought back.
  void leave(Node& node);
  // Ends its stream and opens another on the same connection. Precondition: streaming.
  void reopen(Node& node);
  // New endpoints, told by a lite update. Precondition: streaming, and no update under way.
  void move(Node& node);
  [[nodiscard]] bool can_move(const Node& node) const noexcept {
    return node.phase == Node::Phase::streaming && !node.call;
  }

  // Lets time pass until `done`; false: it took longer than `at_most`, or the run is over.
  bool run_until(const std::function<bool()>& done, std::chrono::nanoseconds at_most);
  void run_for(std::chrono::nanoseconds time);
  bool settle();
  [[nodiscard]] bool over() const;  // the time of the whole run, or an interrupt

  // When set, first maps and upgrades are also timed from there.
  std::optional<Instant> epoch;
  Histogram posts;  // answers to updates; microseconds

 private:
  struct Wait {
    std::uint32_t node;
    Errand errand;
    std::optional<Change::Kind> change;
  };
  void pump();
  void launch(const Wait& wait);

  void on_step(Node& node, Step step, std::chrono::nanoseconds took) override;
  void on_done(Node& node, Instant at) override;
  void on_message(Node& node, Bytes packed, Instant at) override;
  void on_updated(Node& node, Instant sent, Instant at) override;
  void on_failed(Node& node, bool was_streaming, const std::string& why) override;

  const Options& options_;
  std::mt19937_64 random_;
  std::deque<Node> nodes_;
  Directory directory_;
  DecodeCache cache_;
  Ledger ledger_;
  Knowledge knowledge_;
  FoldSample folds_;
  BitSet streaming_, enrolled_, wanted_, nobody_;
  Engine engine_;
  Progress progress_;

  std::deque<Wait> queue_;
  std::multimap<Instant, Wait> delayed_;
  std::uint32_t in_flight_ = 0, under_way_ = 0;
  double rate_ = 0;
  unsigned tries_ = 1;
  Instant next_launch_{}, deadline_{}, last_news_{}, clock_{};
  std::uint64_t news_count_ = 0, keep_alive_count_ = 0, retries_ = 0;
  std::map<std::string, std::uint64_t> drops_;
  Outcome* result_ = nullptr;
};

}  // namespace ts2021::app::fleet

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/fleet.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace ts2021::app::fleet {
namespace {

constexpr std::size_t launches_per_turn = 64;
constexpr std::size_t max_examples = 5;
constexpr auto longest_catch_up = std::chrono::milliseconds{100};  // of launches that are late
constexpr auto longest_settle = std::chrono::seconds{60};

volatile sig_atomic_t interrupted = 0;

std::uint64_t microseconds(std::chrono::nanoseconds time) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(time).count()));
}

const char* name(Step step) {
  switch (step) {
    case Step::tcp:
      return "tcp";
    case Step::upgrade:
      return "upgrade_noise";
    case Step::enroll:
      return "register";
    case Step::update:
      return "lite_update";
    case Step::head:
      return "headers";
    case Step::first_map:
      return "first_map";
  }
  return "";
}

Markers markers_of_this_run() {
  std::uint8_t bytes[2];
  SystemEntropy().fill(bytes);
  return Markers(load_u16be(bytes) % 60'000);
}

}  // namespace

Fleet::Fleet(const Options& options, Server server)
    : options_(options),
      random_(options.seed),
      directory_(markers_of_this_run()),
      cache_(directory_, server.speech.compression),
      ledger_(options.nodes),
      knowledge_(options.nodes),
      folds_(options.fold, options.nodes, server.speech.capability),
      streaming_(options.nodes),
      enrolled_(options.nodes),
      wanted_(options.nodes),
      nobody_(options.nodes),
      engine_(std::move(server), directory_.markers(), nodes_, *this),
      progress_(options.progress),
      deadline_(now().mono + seconds(options.timeout)) {
  for (std::uint32_t i = 0; i < options.nodes; ++i) {
    Node& node = nodes_.emplace_back();
    node.number = i;
    node.identity = make_identity(options.seed, i);
    directory_.add(i, node.identity.node);
  }
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

// ---- a scenario's frame

void Fleet::begin(Outcome& result) {
  result_ = &result;
  result.nodes = options_.nodes;
  ledger_.reset_tallies();
  epoch.reset();
  posts = {};
  retries_ = 0;
}

void Fleet::start_clock() {
  result_->server_before = options_.server_pid != 0 ? sample_process(options_.server_pid) : std::nullopt;
  result_->fleet_before = sample_process(getpid()).value_or(ProcessSample{});
  clock_ = now().mono;
}

void Fleet::stop_clock() {
  result_->seconds = in_seconds(now().mono - clock_);
  result_->fleet_after = sample_process(getpid()).value_or(ProcessSample{});
  result_->server_after = options_.server_pid != 0 ? sample_process(options_.server_pid) : std::nullopt;
}

void Fleet::finish(bool check_peers) {
  if (over()) result_->timed_out = true;
  settle();
  Outcome& result = *result_;
  if (retries_ != 0) result.values.emplace_back("retries", static_cast<double>(retries_));
  for (const auto& pair : ledger_.some_missing(max_examples))
    result.examples.push_back("node " + std::to_string(pair.viewer) + " has not heard of node " +
                              std::to_string(pair.node));
  result.missing += ledger_.missing();
  ledger_.drop_all();
  if (!check_peers) return;
  const auto difference = knowledge_.compare(streaming_, options_.apart ? nobody_ : enrolled_);
  result.missing += difference.missing;
  result.surplus += difference.surplus;
  result.values.emplace_back("peers_missing", static_cast<double>(difference.missing));
  folds_.for_each_node([&](std::uint32_t node) {
    if (streaming_.has(node))
      result.mismatch += folds_.mismatches(node, directory_, knowledge_, [&](std::uint32_t number) {
        return FoldSample::Told{nodes_[number].generation, nodes_[number].home_derp};
      });
  });
}

// ---- the way up

void Fleet::set_pace(std::uint32_t in_flight, double rate, unsigned tries) {
  in_flight_ = in_flight;
  rate_ = rate;
  tries_ = tries;
}

void Fleet::bring(Node& node, const Errand& errand, std::optional<Change::Kind> change) {
  wanted_.insert(node.number);
  node.tries = 0;
  queue_.push_back({node.number, errand, change});
}

void Fleet::launch(const Wait& wait) {
  Node& node = nodes_[wait.node];
  if (wait.change && !options_.apart)
    ledger_.begin({node.number, *wait.change, node.generation, now().mono}, streaming_, true);
  ++under_way_;
  engine_.start(node, wait.errand, seconds(options_.patience));
}

void Fleet::pump() {
  const Instant at = now().mono;
  while (!delayed_.empty() && delayed_.begin()->first <= at) {
    queue_.push_back(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
  }
  std::size_t launched = 0;
  while (!queue_.empty() && (in_flight_ == 0 || under_way_ < in_flight_) && launched < launches_per_turn) {
    if (rate_ > 0) {
      if (at < next_launch_) break;
      next_launch_ = std::max(next_launch_, at - longest_catch_up) + seconds(1 / rate_);
    }
    const Wait wait = queue_.front();
    queue_.pop_front();
    launch(wait);
    ++launched;
  }
  const bool more = launched == launches_per_turn;
  const bool soon = !queue_.empty() || !delayed_.empty();
  engine_.turn(std::chrono::milliseconds{more ? 0 : soon ? 2 : 20});
  if (!progress_.due(at)) return;
  progress_.show(at, result_->scenario + ": streaming " + std::to_string(streaming_.size()) + "/" +
                         std::to_string(options_.nodes) + ", under way " + std::to_string(under_way_) +
                         ", waiting " + std::to_string(queue_.size() + delayed_.size()) + ", messages " +
                         std::to_string(cache_.messages()) + ", deliveries open " +
                         std::to_string(ledger_.missing()) + ", errors " +
                         std::to_string(result_->error_count()));
}

void Fleet::leave(Node& node) {
  if (node.under_way()) --under_way_;
  engine_.reset(node);
  wanted_.erase(node.number);
  streaming_.erase(node.number);
  ledger_.viewer_left(node.number);
}

void Fleet::reopen(Node& node) {
  streaming_.erase(node.number);
  ++under_way_;
  engine_.reopen(node, false, seconds(options_.patience));
}

void Fleet::move(Node& node) {
  ++node.generation;
  if (!options_.apart)
    ledger_.begin({node.number, Change::Kind::move, node.generation, now().mono}, streaming_);
  engine_.update(node);
}

// ---- time

bool Fleet::over() const { return interrupted != 0 || now().mono >= deadline_; }

bool Fleet::run_until(const std::function<bool()>& done, std::chrono::nanoseconds at_most) {
  const Instant until = now().mono + at_most;
  while (!done()) {
    if (over() || now().mono >= until) return false;
    pump();
  }
  return true;
}

void Fleet::run_for(std::chrono::nanoseconds time) {
  (void)run_until([] { return false; }, time);
}

bool Fleet::settle() {
  const Instant begun = now().mono;
  return run_until(
      [&] { return at_rest() && now().mono - std::max(last_news_, begun) >= seconds(options_.settle); },
      longest_settle);
}

// ---- what happens

void Fleet::on_step(Node&, Step step, std::chrono::nanoseconds took) {
  result_->ms[name(step)].add(microseconds(took));
  if (step == Step::upgrade && epoch) result_->ms["connected"].add(microseconds(now().mono - *epoch));
}

void Fleet::on_done(Node& node, Instant at) {
  --under_way_;
  streaming_.insert(node.number);
  if (node.errand.stream) enrolled_.insert(node.number);
  ledger_.release(node.number);
  ledger_.viewer_came(node.number, knowledge_.row(node.number));
  result_->ms["total"].add(microseconds(at - node.begun));
  if (epoch) result_->ms["served"].add(microseconds(at - *epoch));
}

void Fleet::on_message(Node& node, Bytes packed, Instant at) {
  const bool first = node.phase == Node::Phase::opening;
  const auto read = cache_.read(packed);
  if (!read) {
    ++result_->errors["message: " + std::string(text(read.error().code))];
    return;
  }
  const Digest& digest = **read;
  if (first) {
    knowledge_.forget(node.number);
    result_->bytes["first_map_wire"].add(packed.size() + map_prefix_size);
    result_->bytes["first_map_json"].add(digest.size);
  }
  if (folds_.has(node.number)) {
    if (first) folds_.begin(node.number);
    if (auto whole = cache_.read_whole(packed))
      folds_.apply(node.number, *std::move(whole));
    else
      ++result_->errors["message, read whole: " + std::string(text(whole.error().code))];
  }
  if (digest.keep_alive) {
    ++keep_alive_count_;
    return;
  }
  ++news_count_;
  last_news_ = at;
  knowledge_.apply(node.number, digest);
  bool delivered = false;
  for (const PeerNews& news : digest.news) delivered |= ledger_.saw(node.number, news, at);
  if (delivered) result_->bytes["frame"].add(packed.size() + map_prefix_size);
}

void Fleet::on_updated(Node&, Instant sent, Instant at) { posts.add(microseconds(at - sent)); }

void Fleet::on_failed(Node& node, bool was_streaming, const std::string& why) {
  ++result_->errors[why];
  streaming_.erase(node.number);
  if (was_streaming)
    ++drops_[why];
  else
    --under_way_;
  if (!wanted_.has(node.number)) return;
  if (!was_streaming && tries_ != 0 && node.tries >= tries_) {
    wanted_.erase(node.number);
    ledger_.viewer_left(node.number);
    ledger_.drop(node.number, Change::Kind::join);
    ledger_.drop(node.number, Change::Kind::move);
    return;
  }
  // As real clients: not at once, and ever more slowly.
  ++retries_;
  const auto pause =
      std::min(std::chrono::milliseconds{250} * std::max(node.tries, 1u), std::chrono::milliseconds{2'000});
  const Errand errand = was_streaming ? Errand{} : node.errand;
  delayed_.emplace(now().mono + pause, Wait{node.number, errand, std::nullopt});
}

}  // namespace ts2021::app::fleet

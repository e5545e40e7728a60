// SPDX-License-Identifier: BSD-3-Clause
// A store that answers late and decides tickets in another order than they came, by a seed.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <utility>
#include <vector>

#include "ts2021/coord/store.h"

namespace ts2021::test {

// Wraps a store that answers at once. submit() keeps the work; each step() carries out some of it, in any
// order, and lets some of the results out, in their order.
class SlowStore final : public Store {
 public:
  SlowStore(Store& inner, std::uint64_t seed) : inner_(inner), random_(seed) {}

  void watch(Revision after) override {
    std::erase_if(ready_, is_watch_event);
    std::erase_if(hidden_, is_watch_event);
    inner_.watch(after);
  }
  void submit(Ticket ticket, std::span<const Write> transaction) override {
    waiting_.push_back({ticket, {transaction.begin(), transaction.end()}});
  }
  [[nodiscard]] std::size_t poll(std::span<StoreEvent> out) override {
    std::size_t n = 0;
    for (; n < out.size() && !ready_.empty(); ++n) {
      out[n] = std::move(ready_.front());
      ready_.pop_front();
    }
    return n;
  }

  // Every ticket that is decided now is rejected with this chance, in percent, as another writer's doing.
  void set_failure_percent(unsigned percent) { failure_percent_ = percent; }
  void step() {
    while (!waiting_.empty() && random_() % 4 != 0) {
      const std::size_t at = random_() % waiting_.size();
      if (random_() % 100 < failure_percent_)
        hidden_.push_back(Rejected{waiting_[at].ticket, fail(Errc::stale_revision, 995)});
      else
        inner_.submit(waiting_[at].ticket, waiting_[at].transaction);
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
      pull();
    }
    pull();
    while (!hidden_.empty() && random_() % 8 != 0) release();
  }
  void finish() {  // everything, now
    const unsigned percent = std::exchange(failure_percent_, 0);
    while (!waiting_.empty()) step();
    pull();
    while (!hidden_.empty()) release();
    failure_percent_ = percent;
  }
  [[nodiscard]] bool idle() const { return waiting_.empty() && hidden_.empty() && ready_.empty(); }

 private:
  struct Work {
    Ticket ticket;
    std::vector<Write> transaction;
  };
  static bool is_watch_event(const StoreEvent& event) {
    return std::holds_alternative<Changed>(event) || std::holds_alternative<CaughtUp>(event);
  }
  void pull() {
    StoreEvent event;
    while (inner_.poll({&event, 1}) == 1) hidden_.push_back(std::move(event));
  }
  void release() {
    ready_.push_back(std::move(hidden_.front()));
    hidden_.pop_front();
  }

  Store& inner_;
  std::mt19937_64 random_;
  unsigned failure_percent_ = 0;
  std::vector<Work> waiting_;
  std::deque<StoreEvent> hidden_, ready_;
};

}  // namespace ts2021::test

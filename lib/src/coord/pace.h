// SPDX-License-Identifier: BSD-3-Clause
// How often each machine may do something: a bucket of tokens, kept as the time at which it is full again.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <unordered_map>

#include "coord/tailnet.h"
#include "ts2021/base/time.h"

namespace ts2021::coord {

class Pace {
 public:
  // Machines remembered at a time; beyond it strangers are not slowed down, which costs less than their
  // memory.
  static constexpr std::size_t max_machines = 16'384;

  // One token each `interval`, at most `burst`; burst 0: no limit.
  Pace(std::chrono::nanoseconds interval, unsigned burst) : interval_(interval), burst_(burst) {}

  // Takes a token. Zero: there was one; else how long until the next.
  [[nodiscard]] std::chrono::nanoseconds take(const MachinePublic& machine, Instant now) {
    if (burst_ == 0) return {};
    // Full buckets say nothing.
    while (!order_.empty() && full_at_.find(order_.front())->second.at <= now) drop(order_.front());
    const auto at = full_at_.find(machine);
    if (at == full_at_.end()) {
      if (full_at_.size() < max_machines)
        full_at_.emplace(machine, Bucket{now + interval_, order_.insert(order_.end(), machine)});
      return {};
    }
    Bucket& bucket = at->second;
    const Instant full = std::max(bucket.at, now) + interval_;
    const auto over = full - now - interval_ * burst_;
    if (over > Instant::duration{0}) return over;
    bucket.at = full;
    order_.splice(order_.end(), order_, bucket.place);
    return {};
  }
  [[nodiscard]] std::size_t size() const { return full_at_.size(); }

 private:
  using Order = std::list<MachinePublic>;  // by their last token
  struct Bucket {
    Instant at{};
    Order::iterator place;
  };
  void drop(MachinePublic machine) {
    order_.erase(full_at_.find(machine)->second.place);
    full_at_.erase(machine);
  }

  std::chrono::nanoseconds interval_;
  unsigned burst_;
  std::unordered_map<MachinePublic, Bucket, KeyHash<KeyKind::machine>> full_at_;
  Order order_;
};

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// Virtual time: what happens next, by its time and then in the order in which it was planned.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "ts2021/base/time.h"

namespace ts2021::test {

class Schedule {
 public:
  using What = std::function<void()>;

  [[nodiscard]] Now now() const { return now_; }
  [[nodiscard]] Instant::duration elapsed() const { return now_.mono - start_.mono; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

  void at(Instant when, What what) {
    heap_.push_back({std::max(when, now_.mono), ++planned_, std::move(what)});
    std::push_heap(heap_.begin(), heap_.end());
  }
  void after(Instant::duration wait, What what) { at(now_.mono + wait, std::move(what)); }

  // False when nothing is planned.
  bool step() {
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end());
    Entry next = std::move(heap_.back());
    heap_.pop_back();
    now_.mono = next.when;
    now_.wall = start_.wall + std::chrono::floor<std::chrono::milliseconds>(elapsed());
    ++steps_;
    next.what();
    return true;
  }

 private:
  struct Entry {
    Instant when;
    std::uint64_t number;
    What what;
    friend bool operator<(const Entry& a, const Entry& b) {  // the heap has the largest on top
      return std::pair(a.when, a.number) > std::pair(b.when, b.number);
    }
  };

  const Now start_{Instant{std::chrono::seconds{1000}},
                   WallTime{std::chrono::milliseconds{1'780'000'000'000}}};
  Now now_ = start_;
  std::vector<Entry> heap_;
  std::uint64_t planned_ = 0, steps_ = 0;
};

}  // namespace ts2021::test

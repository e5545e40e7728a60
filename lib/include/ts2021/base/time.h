// SPDX-License-Identifier: BSD-3-Clause
// Time as an argument. The clock type has no now(): the library cannot read a clock by accident.
#pragma once

#include <chrono>
#include <cstdint>

namespace ts2021 {

struct MonotonicClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

using Instant = MonotonicClock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

// What the caller's clocks say. `mono` drives deadlines, `wall` is what messages carry.
struct Now {
  Instant mono{};
  WallTime wall{};
};

}  // namespace ts2021

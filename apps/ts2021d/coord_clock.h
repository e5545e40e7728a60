// SPDX-License-Identifier: BSD-3-Clause
// The coordinator's time: the system's, or for tests one that stands still until it is moved.
#pragma once

#include <chrono>
#include <optional>

#include "common/clock.h"

namespace ts2021::app {

class CoordClock {
 public:
  explicit CoordClock(bool is_virtual) {
    if (is_virtual) mono_ = start;
  }

  [[nodiscard]] bool is_virtual() const { return mono_.has_value(); }
  [[nodiscard]] Now read() const {
    if (!mono_) return now();
    return {*mono_, wall_at_start_ + std::chrono::floor<std::chrono::milliseconds>(*mono_ - start)};
  }

  // The rest is for virtual time only.

  // The date alone, as when somebody sets a clock: deadlines stay as far away as they are.
  void set(WallTime wall) { wall_at_start_ += wall - read().wall; }
  void move_to(Instant mono) { mono_ = mono; }  // not back
  // As far as time can go.
  static constexpr Instant last() { return start + std::chrono::years{200}; }

 private:
  // Not the zero of the monotonic clock, which may mean "never".
  static constexpr Instant start{std::chrono::hours{1}};

  std::optional<Instant> mono_;                                                      // none: the system's
  WallTime wall_at_start_ = std::chrono::sys_days{std::chrono::year{2020} / 8 / 3};  // as in TEST-* maps
};

}  // namespace ts2021::app

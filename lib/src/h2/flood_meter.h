// SPDX-License-Identifier: BSD-3-Clause
// Counts events of the last ten seconds of fed time.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include "ts2021/base/time.h"

namespace ts2021::h2 {

// Slots of one second, one more than ten: every interval of ten seconds is covered, none above eleven.
class FloodMeter {
 public:
  // Counts one event; false when there are more than `limit` in the window. A `now` that lies behind an
  // earlier one counts as that one.
  [[nodiscard]] bool count(Instant now, std::uint32_t limit) noexcept {
    const std::int64_t second = std::max(now.time_since_epoch() / std::chrono::seconds{1}, newest_);
    if (second - newest_ >= slot_count) {
      slots_.fill(0);
      total_ = 0;
    } else {
      for (std::int64_t s = newest_ + 1; s <= second; ++s) total_ -= std::exchange(slot(s), std::uint16_t{0});
    }
    newest_ = second;
    if (total_ >= limit || slot(second) == UINT16_MAX) return false;
    ++slot(second);
    ++total_;
    return true;
  }

 private:
  static constexpr std::int64_t slot_count = 11;
  std::uint16_t& slot(std::int64_t second) noexcept {
    return slots_[static_cast<std::size_t>(second % slot_count)];
  }

  std::int64_t newest_ = 0;  // seconds since the clock's epoch; earlier times count as the epoch
  std::uint32_t total_ = 0;
  std::array<std::uint16_t, slot_count> slots_{};
};

}  // namespace ts2021::h2

// SPDX-License-Identifier: BSD-3-Clause
// How many box keys one connection may make us compute: each costs a scalar multiplication, and requests that
// are kept alive pass no budget of addresses.
#pragma once

#include <algorithm>
#include <chrono>

#include "ts2021/base/time.h"

namespace ts2021::service {

// A proxy may bring many machines over one connection, so keys come back with time.
class KeyBudget {
 public:
  static constexpr int burst = 16;
  static constexpr std::chrono::milliseconds per_key{125};

  [[nodiscard]] bool take(Instant now) noexcept {
    const auto come = (now - since_) / per_key;
    if (come > 0) {
      left_ = static_cast<int>(std::min<std::int64_t>(burst, left_ + come));
      since_ = left_ == burst ? now : since_ + come * per_key;
    }
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  int left_ = burst;
  Instant since_{};
};

}  // namespace ts2021::service

// SPDX-License-Identifier: BSD-3-Clause
// One line a second for whoever watches.
#pragma once

#include <string>

#include "ts2021/base/time.h"

namespace ts2021::app::fleet {

class Progress {
 public:
  // On standard error, when that is a terminal or `always`.
  explicit Progress(bool always);

  [[nodiscard]] bool due(Instant at) noexcept { return on_ && at >= next_; }
  void show(Instant at, const std::string& line);

 private:
  bool on_;
  Instant next_{};
};

}  // namespace ts2021::app::fleet

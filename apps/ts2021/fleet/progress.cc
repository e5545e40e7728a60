// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/progress.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace ts2021::app::fleet {

Progress::Progress(bool always) : on_(always || isatty(STDERR_FILENO) == 1) {}

void Progress::show(Instant at, const std::string& line) {
  next_ = at + std::chrono::seconds{1};
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace ts2021::app::fleet

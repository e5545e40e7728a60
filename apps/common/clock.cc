// SPDX-License-Identifier: BSD-3-Clause
#include "common/clock.h"

#include <sys/random.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>

namespace ts2021::app {

Now now() noexcept {
  using namespace std::chrono;
  return {Instant{duration_cast<nanoseconds>(steady_clock::now().time_since_epoch())},
          time_point_cast<milliseconds>(system_clock::now())};
}

void SystemEntropy::fill(MutableBytes out) noexcept {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) std::abort();
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace ts2021::app

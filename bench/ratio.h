// SPDX-License-Identifier: BSD-3-Clause
// Runs benchmarks that are to be compared: turns are mixed at random, the best of each counts, and the ratio
// of two is printed beside its budget. Times of a shared machine mean little; ratios within one run mean
// something.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

namespace ts2021::bench {

struct Ratio {
  std::string what;   // for the reader
  std::string over;   // benchmark
  std::string under;  // benchmark
  double budget;      // the largest ratio that is good; 0: only shown
};

// Runs everything that is registered. 0 when every ratio is within its budget, else 1.
int run(int argc, char** argv, const std::vector<Ratio>& ratios);

// CPU time of this thread, for parts of an iteration.
inline double thread_seconds() noexcept {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Calls of operator new since start.
[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace ts2021::bench

// SPDX-License-Identifier: BSD-3-Clause
// What a process costs, from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>

namespace ts2021::app::fleet {

struct ProcessSample {
  std::uint64_t rss_kib = 0;   // resident
  std::uint64_t anon_kib = 0;  // of it heap and stacks
  std::uint64_t peak_kib = 0;  // the most that was ever resident
  std::uint64_t threads = 0;
  double cpu_s = 0;                 // user and system, since its start
  std::map<int, double> by_thread;  // of it those that live, by their ids: in the order of their start
};

// None: there is no such process.
[[nodiscard]] std::optional<ProcessSample> sample_process(pid_t pid);

// So many descriptors may be open, if the system lets us; returns how many may be.
std::uint64_t raise_file_limit(std::uint64_t wanted);

}  // namespace ts2021::app::fleet

// SPDX-License-Identifier: BSD-3-Clause
// What one scenario has measured.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ts2021/fleet/histogram.h"
#include "ts2021/fleet/process.h"

namespace ts2021::app::fleet {

struct Round {  // of fan-out
  std::uint64_t reached = 0, missing = 0;
  double post_ms = 0;  // the update's own answer
  Histogram delta, frame_bytes, tcp_bytes;
  double server_cpu_s = 0, seconds = 0;  // until all was quiet again, without the quiet
};

struct Outcome {
  std::string scenario;
  std::uint64_t nodes = 0, done = 0;  // done: operations or nodes that succeeded
  std::map<std::string, std::uint64_t> errors;
  std::uint64_t missing = 0;   // deliveries and peers that never came
  std::uint64_t surplus = 0;   // peers that should not be listed
  std::uint64_t mismatch = 0;  // folded peers that are not as the node has told last
  bool timed_out = false;
  double seconds = 0;                   // of the measured part
  std::map<std::string, Histogram> ms;  // in microseconds; reported in milliseconds
  std::map<std::string, Histogram> bytes;
  std::vector<std::pair<std::string, double>> values;
  std::vector<std::string> examples;  // of what is missing
  std::vector<Round> rounds;
  std::optional<ProcessSample> server_before, server_after;
  ProcessSample fleet_before, fleet_after;

  [[nodiscard]] std::uint64_t error_count() const {
    std::uint64_t sum = 0;
    for (const auto& [text, count] : errors) sum += count;
    return sum;
  }
  [[nodiscard]] bool good() const {
    return errors.empty() && missing == 0 && surplus == 0 && mismatch == 0 && !timed_out;
  }
  [[nodiscard]] double server_cpu_s() const {
    return server_before && server_after ? server_after->cpu_s - server_before->cpu_s : 0;
  }
  // Of the threads that were there all the time, in the order of their start.
  [[nodiscard]] std::vector<double> server_cpu_s_by_thread() const {
    std::vector<double> out;
    if (!server_before || !server_after) return out;
    for (const auto& [thread, spent] : server_after->by_thread)
      if (const auto at = server_before->by_thread.find(thread); at != server_before->by_thread.end())
        out.push_back(spent - at->second);
    return out;
  }
  [[nodiscard]] double fleet_cpu_s() const { return fleet_after.cpu_s - fleet_before.cpu_s; }
};

}  // namespace ts2021::app::fleet

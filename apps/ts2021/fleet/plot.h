// SPDX-License-Identifier: BSD-3-Clause
// Latencies as a picture: SVG, one panel below the other.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ts2021::app::fleet {

struct Panel {
  struct Line {
    std::string name;
    std::vector<std::pair<std::uint64_t, double>> points;  // microseconds, rising; share not above, 0 to 1
  };
  std::string title;
  std::vector<Line> lines;
};

// Time goes to the right in powers of ten, the share of what was not slower goes up: the higher and the
// further left a line is, the better.
[[nodiscard]] std::string svg(const std::vector<Panel>& panels);

}  // namespace ts2021::app::fleet

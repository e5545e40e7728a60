// SPDX-License-Identifier: BSD-3-Clause
// Many measured values in little memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ts2021::app::fleet {

// Whole numbers from 0 to 2^40, microseconds or bytes: exact below 512, then within 0.4 %; greatest, least
// and mean are exact. At most 64 KiB, however many values.
class Histogram {
 public:
  void add(std::uint64_t value);
  void add(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  [[nodiscard]] double mean() const noexcept;
  // The least value that is not below `percent` of all: nearest rank, no interpolation.
  [[nodiscard]] std::uint64_t percentile(double percent) const;
  // Value and the share of values that are not above it, rising; a point per value that there is.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, double>> curve() const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0, min_ = 0, max_ = 0;
  double sum_ = 0;
};

}  // namespace ts2021::app::fleet

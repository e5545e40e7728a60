// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ts2021::app::fleet {
namespace {

// Below 2^9 a bucket per value; above, 2^8 of equal width to each power of two.
constexpr int exact_bits = 9, sub_bits = 8;
constexpr std::uint64_t greatest = std::uint64_t{1} << 40;

std::size_t bucket_of(std::uint64_t value) noexcept {
  if (value < (1u << exact_bits)) return static_cast<std::size_t>(value);
  const int shift = static_cast<int>(std::bit_width(value)) - 1 - sub_bits;
  return (static_cast<std::size_t>(shift) << sub_bits) + static_cast<std::size_t>(value >> shift);
}

// The greatest value of a bucket.
std::uint64_t value_of(std::size_t bucket) noexcept {
  if (bucket < (1u << exact_bits)) return bucket;
  const std::size_t shift = (bucket >> sub_bits) - 1;
  const std::uint64_t high = bucket - (shift << sub_bits);
  return ((high + 1) << shift) - 1;
}

}  // namespace

void Histogram::add(std::uint64_t value) {
  value = std::min(value, greatest);
  const std::size_t bucket = bucket_of(value);
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  ++buckets_[bucket];
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  ++count_;
  sum_ += static_cast<double>(value);
}

void Histogram::add(const Histogram& other) {
  if (other.count_ == 0) return;
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
}

double Histogram::mean() const noexcept { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::uint64_t Histogram::percentile(double percent) const {
  if (count_ == 0) return 0;
  const double exact = std::ceil(percent / 100 * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::max(exact, 1.0)), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::clamp(value_of(i), min_, max_);
  }
  return max_;
}

std::vector<std::pair<std::uint64_t, double>> Histogram::curve() const {
  std::vector<std::pair<std::uint64_t, double>> points;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] == 0) continue;
    seen += buckets_[i];
    points.emplace_back(std::clamp(value_of(i), min_, max_),
                        static_cast<double>(seen) / static_cast<double>(count_));
  }
  return points;
}

}  // namespace ts2021::app::fleet

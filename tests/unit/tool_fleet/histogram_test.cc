// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/histogram.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "support/catch.h"

namespace ts2021::app::fleet {
namespace {

std::uint64_t nearest_rank(std::vector<std::uint64_t> values, double percent) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

TEST_CASE("histogram: small values are exact, large ones within 0.4 %") {
  std::mt19937_64 random(7);
  for (const std::uint64_t range : {std::uint64_t{511}, std::uint64_t{100'000}, std::uint64_t{1} << 36}) {
    Histogram histogram;
    std::vector<std::uint64_t> values;
    for (int i = 0; i < 5'000; ++i) {
      values.push_back(random() % range);
      histogram.add(values.back());
    }
    CHECK(histogram.count() == values.size());
    CHECK(histogram.min() == *std::min_element(values.begin(), values.end()));
    CHECK(histogram.max() == *std::max_element(values.begin(), values.end()));
    for (const double percent : {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
      const auto exact = nearest_rank(values, percent), told = histogram.percentile(percent);
      if (range <= 511) {
        CHECK(told == exact);
      } else {
        CHECK(told >= exact);
        CHECK(static_cast<double>(told) <= static_cast<double>(exact) * 1.004 + 1);
      }
    }
  }
}

TEST_CASE("histogram: one value, none, and sums") {
  Histogram none, one;
  CHECK(none.count() == 0);
  CHECK(none.percentile(50) == 0);
  CHECK(none.curve().empty());
  one.add(123'457);
  for (const double percent : {0.0, 50.0, 100.0}) CHECK(one.percentile(percent) == 123'457);
  none.add(one);
  none.add(Histogram());
  none.add(3);
  CHECK(none.count() == 2);
  CHECK(none.min() == 3);
  CHECK(none.max() == 123'457);
  CHECK(none.mean() == (123'457 + 3) / 2.0);
  const auto curve = none.curve();
  REQUIRE(curve.size() == 2);
  CHECK(curve[0] == std::pair<std::uint64_t, double>(3, 0.5));
  CHECK(curve[1] == std::pair<std::uint64_t, double>(123'457, 1.0));
}

}  // namespace
}  // namespace ts2021::app::fleet

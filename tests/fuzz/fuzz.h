// SPDX-License-Identifier: BSD-3-Clause
// What the fuzz targets share: an assertion that is there in every build, and randomness that never changes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "ts2021/base/entropy.h"

#define TS_EXPECT(condition)                                                       \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                \
    }                                                                              \
  } while (false)

namespace ts2021::fuzz {

class SameEntropy final : public Entropy {
 public:
  explicit SameEntropy(std::uint64_t seed = 1) noexcept : state_(seed) {}
  void fill(MutableBytes out) noexcept override {
    for (auto& byte : out) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<std::uint8_t>(state_ >> 56);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace ts2021::fuzz

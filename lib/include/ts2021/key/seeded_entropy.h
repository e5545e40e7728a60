// SPDX-License-Identifier: BSD-3-Clause
// Randomness that is none, for tests that must come out alike twice.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ts2021/base/entropy.h"

namespace ts2021 {

// The same bytes for the same seed and stream, whatever the machine; streams of one seed have nothing in
// common. Everybody who knows the seed knows every key that is made of it: never outside of tests. At most
// 256 GiB; then it repeats itself.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed, std::uint64_t stream = 0) noexcept;
  void fill(MutableBytes out) noexcept override;

 private:
  std::array<std::uint8_t, 32> key_{};
  std::array<std::uint8_t, 12> nonce_{};
  std::array<std::uint8_t, 64> block_{};
  std::size_t used_ = 64;  // of block_
  std::uint32_t next_ = 0;
};

}  // namespace ts2021

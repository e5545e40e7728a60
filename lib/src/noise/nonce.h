// SPDX-License-Identifier: BSD-3-Clause
// REC-3: four zero bytes, then the record's counter, big-endian where Noise itself has little-endian.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "ts2021/base/bytes.h"

namespace ts2021::noise {

[[nodiscard]] constexpr std::array<std::uint8_t, 12> nonce_of(std::uint64_t counter) noexcept {
  std::array<std::uint8_t, 12> nonce{};
  store_u64be(std::span(nonce).subspan<4>(), counter);
  return nonce;
}

}  // namespace ts2021::noise

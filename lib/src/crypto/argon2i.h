// SPDX-License-Identifier: BSD-3-Clause
// Argon2i, version 1.3 (RFC 9106): slow on purpose.
#pragma once

#include <cstdint>
#include <span>

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

struct Argon2iCost {
  std::uint32_t passes;
  std::uint32_t memory;  // KiB
  std::uint32_t lanes;   // worked off one after the other, by the calling thread
};

// False when the memory can't be had. Preconditions: a salt of at least 8 bytes, costs that RFC 9106 allows.
[[nodiscard]] bool argon2i(std::span<std::uint8_t, 32> out, Bytes secret, Bytes salt,
                           Argon2iCost cost) noexcept;

}  // namespace ts2021::crypto

// SPDX-License-Identifier: BSD-3-Clause
// HMAC (RFC 2104) over BLAKE2s, not its keyed mode, and HKDF (RFC 5869) on top, as Noise uses them (HSK-3).
#pragma once

#include <cstdint>
#include <span>

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

// The tag of `text`, or of `text` and then `more`. `out` may be the key or one of the texts.
void hmac_blake2s(std::span<std::uint8_t, 32> out, std::span<const std::uint8_t, 32> key, Bytes text,
                  Bytes more = {}) noexcept;

// 64 bytes of HKDF with empty info, as two halves. `first` may be the salt.
void hkdf_blake2s(std::span<std::uint8_t, 32> first, std::span<std::uint8_t, 32> second,
                  std::span<const std::uint8_t, 32> salt, Bytes input) noexcept;
// The first half alone, which costs two thirds.
void hkdf_blake2s(std::span<std::uint8_t, 32> first, std::span<const std::uint8_t, 32> salt,
                  Bytes input) noexcept;

}  // namespace ts2021::crypto

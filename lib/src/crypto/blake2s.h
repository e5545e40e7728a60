// SPDX-License-Identifier: BSD-3-Clause
// BLAKE2s-256 without a key (RFC 7693).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

inline constexpr std::size_t blake2s_block_size = 64;

// The hash of the parts, one after the other. `out` may be one of the parts.
void blake2s(std::span<std::uint8_t, 32> out, std::initializer_list<Bytes> parts) noexcept;

}  // namespace ts2021::crypto

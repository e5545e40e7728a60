// SPDX-License-Identifier: BSD-3-Clause
// The bare ChaCha20 stream (RFC 8439), for bytes that look random and are the same in every run.
#pragma once

#include <cstdint>
#include <span>

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

// The 64 bytes at `block` of the stream of this key and nonce. Authenticates nothing.
void chacha20_block(std::span<std::uint8_t, 64> out, std::span<const std::uint8_t, 32> key,
                    std::span<const std::uint8_t, 12> nonce, std::uint32_t block) noexcept;

}  // namespace ts2021::crypto

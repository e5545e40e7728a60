// SPDX-License-Identifier: BSD-3-Clause
// NaCl crypto_box: X25519, HSalsa20, XSalsa20-Poly1305, in place, with the tag apart.
#pragma once

#include <cstdint>
#include <span>

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

using BoxKey = std::span<const std::uint8_t, 32>;
using BoxNonce = std::span<const std::uint8_t, 24>;

// The key of a pair of keys, the same for both. False when the peer's key has low order.
[[nodiscard]] bool box_key(std::span<std::uint8_t, 32> out, std::span<const std::uint8_t, 32> secret,
                           std::span<const std::uint8_t, 32> peer) noexcept;
// Encrypts `text` in place.
void box_seal(BoxKey key, BoxNonce nonce, MutableBytes text, std::span<std::uint8_t, 16> tag) noexcept;
// Decrypts `text` in place; false, and nothing is changed, when the tag is wrong.
[[nodiscard]] bool box_open(BoxKey key, BoxNonce nonce, MutableBytes text,
                            std::span<const std::uint8_t, 16> tag) noexcept;

}  // namespace ts2021::crypto

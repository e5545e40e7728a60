// SPDX-License-Identifier: BSD-3-Clause
// Ed25519 (RFC 8032), as keys of the tailnet lock need it.
#pragma once

#include <cstdint>
#include <span>

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

// out: the seed, then the public key made from it.
void ed25519_from_seed(std::span<std::uint8_t, 64> out, std::span<const std::uint8_t, 32> seed) noexcept;

// `key`: the seed, then the public key.
void ed25519_sign(std::span<std::uint8_t, 64> out, Bytes message,
                  std::span<const std::uint8_t, 64> key) noexcept;
// Refuses keys of low order and second spellings of a signature.
[[nodiscard]] bool ed25519_verify(std::span<const std::uint8_t, 32> open, Bytes message,
                                  std::span<const std::uint8_t, 64> signature) noexcept;

}  // namespace ts2021::crypto

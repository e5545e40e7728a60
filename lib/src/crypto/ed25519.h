// SPDX-License-Identifier: BSD-3-Clause
// Ed25519 (RFC 8032), as keys of the tailnet lock need it.
#pragma once

#include <cstdint>
#include <span>

namespace ts2021::crypto {

// out: the seed, then the public key made from it.
void ed25519_from_seed(std::span<std::uint8_t, 64> out, std::span<const std::uint8_t, 32> seed) noexcept;

}  // namespace ts2021::crypto

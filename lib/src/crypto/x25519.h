// SPDX-License-Identifier: BSD-3-Clause
// X25519 (RFC 7748). Scalars are clamped inside, bit 255 of a point is ignored.
#pragma once

#include <cstdint>
#include <span>

namespace ts2021::crypto {

using View32 = std::span<const std::uint8_t, 32>;
using Out32 = std::span<std::uint8_t, 32>;

// False when the result is all zero: the point has low order, and who sent it needs no key (HSK-7).
[[nodiscard]] bool x25519(Out32 out, View32 scalar, View32 point) noexcept;
// The public key of a scalar; never zero.
void x25519_base(Out32 out, View32 scalar) noexcept;

}  // namespace ts2021::crypto

// SPDX-License-Identifier: BSD-3-Clause
// Hexadecimal digits of public bytes: several times as fast as the constant-time conversions that secrets
// need.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ts2021/base/bytes.h"

namespace ts2021 {

// Lower case, 2 × bytes.size() characters; returns the end.
inline char* write_public_hex(Bytes bytes, char* out) noexcept {
  const auto digit = [](unsigned value) { return static_cast<char>(value + '0' + (value > 9 ? 39 : 0)); };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = digit(bytes[i] >> 4);
    out[2 * i + 1] = digit(bytes[i] & 15u);
  }
  return out + 2 * bytes.size();
}

// Exactly 2 × out.size() digits of either case; false, and `out` is undefined, for anything else.
template <std::size_t N>
[[nodiscard]] bool read_public_hex(std::string_view hex, std::array<std::uint8_t, N>& out) noexcept {
  if (hex.size() != 2 * N) return false;
  // Two loops without branches, which compilers turn into vectors.
  std::array<std::uint8_t, 2 * N> values;
  std::uint8_t bad = 0;
  for (std::size_t i = 0; i < 2 * N; ++i) {
    const auto byte = static_cast<std::uint8_t>(hex[i]);
    const auto number = static_cast<std::uint8_t>(byte - '0');
    const auto letter = static_cast<std::uint8_t>((byte | 0x20) - 'a');
    values[i] = number < 10 ? number : static_cast<std::uint8_t>(letter + 10);
    bad = static_cast<std::uint8_t>(bad | (number >= 10 && letter >= 6 ? 1 : 0));
  }
  for (std::size_t i = 0; i < N; ++i)
    out[i] = static_cast<std::uint8_t>(values[2 * i] << 4 | values[2 * i + 1]);
  return bad == 0;
}

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// Views of bytes, and loads and stores of the integers that the wire carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ts2021 {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

// Precondition of all loads and stores: the span is at least as long as the integer.
[[nodiscard]] constexpr std::uint16_t load_u16be(Bytes in) noexcept {
  return static_cast<std::uint16_t>((in[0] << 8) | in[1]);
}
[[nodiscard]] constexpr std::uint32_t load_u32be(Bytes in) noexcept {
  return (std::uint32_t{in[0]} << 24) | (std::uint32_t{in[1]} << 16) | (std::uint32_t{in[2]} << 8) | in[3];
}
[[nodiscard]] constexpr std::uint32_t load_u32le(Bytes in) noexcept {
  return (std::uint32_t{in[3]} << 24) | (std::uint32_t{in[2]} << 16) | (std::uint32_t{in[1]} << 8) | in[0];
}
constexpr void store_u16be(MutableBytes out, std::uint16_t value) noexcept {
  out[0] = static_cast<std::uint8_t>(value >> 8);
  out[1] = static_cast<std::uint8_t>(value);
}
constexpr void store_u32be(MutableBytes out, std::uint32_t value) noexcept {
  for (int i = 0; i < 4; ++i)
    out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}
constexpr void store_u32le(MutableBytes out, std::uint32_t value) noexcept {
  for (int i = 0; i < 4; ++i) out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> (8 * i));
}
constexpr void store_u64be(MutableBytes out, std::uint64_t value) noexcept {
  for (int i = 0; i < 8; ++i)
    out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}

[[nodiscard]] inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace ts2021

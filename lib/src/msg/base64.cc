// SPDX-License-Identifier: BSD-3-Clause
#include "msg/base64.h"

#include <array>

namespace ts2021 {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;
constexpr auto digit_values = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return table;
}();

}  // namespace

void append_base64(Bytes bytes, std::string& out) {
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = (group << 8) | (i < count ? bytes[at + i] : 0u);
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? alphabet[(group >> (18 - 6 * i)) & 63] : '=';
  }
}

bool parse_base64(std::string_view text, std::vector<std::uint8_t>& out) {
  out.clear();
  if (text.size() % 4 != 0) return false;
  if (text.empty()) return true;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const std::size_t digits = at + 4 == text.size() ? 4 - padding : 4;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint8_t value = i < digits ? digit_values[static_cast<unsigned char>(text[at + i])] : 0;
      if (value == no_digit) return false;
      group = (group << 6) | value;
    }
    if ((group & ((1u << (8 * (4 - digits))) - 1)) != 0) return false;
    for (std::size_t i = 0; i + 1 < digits; ++i)
      out.push_back(static_cast<std::uint8_t>(group >> (16 - 8 * i)));
  }
  return true;
}

}  // namespace ts2021

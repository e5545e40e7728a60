// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/lock/hash.h"

namespace ts2021::lock {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

}  // namespace

// LCK-4: strictly one text per hash, so the four bits that are left over are zero.
Result<AUMHash> AUMHash::parse(std::string_view text) noexcept {
  if (text.size() != text_size) return fail(Errc::bad_lock_update, 1205);
  AUMHash out;
  std::uint32_t pending = 0;
  int bits = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const std::size_t value = digits.find(c);
    if (value == std::string_view::npos) return fail(Errc::bad_lock_update, 1206);
    pending = pending << 5 | static_cast<std::uint32_t>(value);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.bytes[at++] = static_cast<std::uint8_t>(pending >> bits);
      pending &= (1u << bits) - 1;
    }
  }
  if (pending != 0) return fail(Errc::bad_lock_update, 1207);
  return out;
}

std::string AUMHash::text() const {
  std::string out;
  out.reserve(text_size);
  std::uint32_t pending = 0;
  int bits = 0;
  for (const std::uint8_t byte : bytes) {
    pending = pending << 8 | byte;
    for (bits += 8; bits >= 5; pending &= (1u << bits) - 1) {
      bits -= 5;
      out.push_back(digits[pending >> bits]);
    }
  }
  out.push_back(digits[pending << (5 - bits)]);
  return out;
}

}  // namespace ts2021::lock

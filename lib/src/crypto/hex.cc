// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/hex.h"

#include <sodium.h>

namespace ts2021::crypto {

bool decode_hex(std::string_view hex, MutableBytes out) noexcept {
  std::size_t size = 0;
  const char* end = nullptr;
  return hex.size() == 2 * out.size() &&
         sodium_hex2bin(out.data(), out.size(), hex.data(), hex.size(), nullptr, &size, &end) == 0 &&
         size == out.size() && end == hex.data() + hex.size();
}

void encode_hex(Bytes bytes, std::span<char> out) noexcept {
  // libsodium's encoder wants room for a terminator; a byte at a time it gets it.
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    char digits[3];
    sodium_bin2hex(digits, sizeof digits, &bytes[i], 1);
    out[2 * i] = digits[0];
    out[2 * i + 1] = digits[1];
  }
}

}  // namespace ts2021::crypto

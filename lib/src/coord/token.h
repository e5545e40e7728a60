// SPDX-License-Identifier: BSD-3-Clause
// Names that nobody can guess: whoever has one was told it.
#pragma once

#include <array>
#include <string>

#include "crypto/hex.h"
#include "ts2021/base/entropy.h"

namespace ts2021::coord {

// 128 bits in lower-case hex digits.
[[nodiscard]] inline std::string make_token(Entropy& entropy) {
  std::array<std::uint8_t, 16> raw{};
  entropy.fill(raw);
  std::string text(2 * raw.size(), '0');
  crypto::encode_hex(raw, text);
  return text;
}

}  // namespace ts2021::coord

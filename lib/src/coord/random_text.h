// SPDX-License-Identifier: BSD-3-Clause
// Names that nobody can guess.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "ts2021/base/entropy.h"

namespace ts2021::coord {

// Letters and digits without 0, O, I and l, which people mix up: 5.8 bits each.
template <std::size_t size>
[[nodiscard]] std::string random_text(Entropy& entropy) {
  constexpr std::string_view digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::array<std::uint8_t, size> random{};
  entropy.fill(random);
  std::string out;
  for (const auto byte : random) out += digits[byte % digits.size()];
  return out;
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// The name of an update of the tailnet lock: BLAKE2s-256 of its encoding (LCK-2).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "ts2021/base/result.h"

namespace ts2021::lock {

struct AUMHash {
  static constexpr std::size_t size = 32;
  static constexpr std::size_t text_size = 52;

  std::array<std::uint8_t, size> bytes{};

  // 52 characters of upper-case base32 without padding, exactly. Error bad_lock_update.
  [[nodiscard]] static Result<AUMHash> parse(std::string_view text) noexcept;
  [[nodiscard]] std::string text() const;

  friend auto operator<=>(const AUMHash&, const AUMHash&) = default;
};

}  // namespace ts2021::lock

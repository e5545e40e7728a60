// SPDX-License-Identifier: BSD-3-Clause
// Durations as the admin API writes them: "250ms", "5s", "2m", "1h30m".
#pragma once

#include <optional>
#include <string_view>

#include "ts2021/base/time.h"

namespace ts2021::admin {

inline constexpr Instant::duration max_duration = std::chrono::hours{24 * 366 * 20};

// Whole numbers, each with ms, s, m or h, at most max_duration together; nothing for anything else.
[[nodiscard]] std::optional<Instant::duration> parse_duration(std::string_view text) noexcept;

}  // namespace ts2021::admin

// SPDX-License-Identifier: BSD-3-Clause
// What stands behind the question mark.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/base/time.h"

namespace ts2021::admin {

inline constexpr std::chrono::seconds default_patience{30};
inline constexpr std::chrono::minutes max_patience{10};

// Without percent escapes and plus signs; nothing when absent. A percent sign that begins no escape stays.
[[nodiscard]] std::optional<std::string> query_text(std::string_view query, std::string_view name);
// `timeout`: default_patience when absent; nothing when it is no duration or above max_patience.
[[nodiscard]] std::optional<Instant::duration> patience(std::string_view query);
// `push`: true when absent; nothing when it is neither true nor false.
[[nodiscard]] std::optional<bool> pushes(std::string_view query);
// Nothing unless it is a whole decimal number.
[[nodiscard]] std::optional<std::int64_t> parse_number(std::string_view text) noexcept;
// "h3" with the prefix 'h' is 3; nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_name(char prefix, std::string_view text) noexcept;
// Between commas, empty parts left out.
[[nodiscard]] std::vector<std::string_view> comma_list(std::string_view text);

}  // namespace ts2021::admin

// SPDX-License-Identifier: BSD-3-Clause
// Headers that are lists of tokens, and the percent encoding of queries.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ts2021/http/message.h"

namespace ts2021::entry {

enum class Case : std::uint8_t { exact, any };
// True when one of the comma-separated tokens in any field `name` is `token`.
[[nodiscard]] bool list_has(std::span<const Header> headers, std::string_view name, std::string_view token,
                            Case rule) noexcept;
[[nodiscard]] std::size_t count_header(std::span<const Header> headers, std::string_view name) noexcept;

// The first value of `name` in a query, decoded ('+' is a space). Empty when absent; nothing when any part
// of the query can't be decoded.
[[nodiscard]] std::optional<std::string> decoded_query_value(std::string_view query, std::string_view name);

}  // namespace ts2021::entry

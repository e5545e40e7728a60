// SPDX-License-Identifier: BSD-3-Clause
// JSON for people: comments and trailing commas become spaces, so that every position stays.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace ts2021::json {

// Rewrites the text in place. What is no JSON either way is left to the JSON reader, except for a comment or
// a string that never ends: the offset where it begins.
[[nodiscard]] std::optional<std::size_t> blank_extras(std::string& text) noexcept;

}  // namespace ts2021::json

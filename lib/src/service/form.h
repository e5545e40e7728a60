// SPDX-License-Identifier: BSD-3-Clause
// Values of queries and of small HTML forms, which have one form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ts2021::service {

// Percent escapes and plus signs are read; a percent sign that begins no escape stays. Empty when absent.
[[nodiscard]] std::string form_value(std::string_view form, std::string_view name);

// Decimal digits only; no value for anything else, zero included.
[[nodiscard]] std::optional<std::uint64_t> parse_id(std::string_view text);

}  // namespace ts2021::service

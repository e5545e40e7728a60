// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

#include "ts2021/base/error.h"

namespace ts2021::app {

// The rule of WIRE.md that a server broke; empty: none in particular.
[[nodiscard]] std::string_view rule_of(const Error& error) noexcept;
// The error's text, its detail where that is a status, and the rule in brackets.
[[nodiscard]] std::string describe(const Error& error);

}  // namespace ts2021::app

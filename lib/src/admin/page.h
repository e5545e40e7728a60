// SPDX-License-Identifier: BSD-3-Clause
// The page for people: page.html as it is, and what browsers shall allow it.
#pragma once

#include <string_view>

namespace ts2021::admin {

[[nodiscard]] std::string_view page_text() noexcept;
// A Content-Security-Policy by the hashes of its script and its style.
[[nodiscard]] std::string_view page_policy() noexcept;

}  // namespace ts2021::admin

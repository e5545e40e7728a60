// SPDX-License-Identifier: BSD-3-Clause
// All checks, run against one server.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/conformance/check.h"
#include "ts2021/conformance/context.h"

namespace ts2021::app::conformance {

[[nodiscard]] std::vector<Check> all_checks();
// Whether a name or a rule matches: `*` stands for any text.
[[nodiscard]] bool matches(std::string_view glob, std::string_view text) noexcept;

struct Graded {
  Check check;
  Outcome outcome;
  std::chrono::milliseconds took{};
};

struct Grades {
  std::vector<Graded> all;
  std::string dead;               // the server is gone since the last check; empty: it is not
  std::vector<std::string> left;  // host names of nodes that could not be logged out
  [[nodiscard]] std::size_t count(Verdict verdict) const;
};

// Tells each grade when it is there. Stops when the server is gone.
[[nodiscard]] Grades grade(Context& context, std::span<const Check> checks,
                           const std::function<void(const Graded&)>& tell);

}  // namespace ts2021::app::conformance

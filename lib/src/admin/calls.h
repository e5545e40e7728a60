// SPDX-License-Identifier: BSD-3-Clause
// The calls of the admin API: one table, from which the routes and the description follow.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "admin/flow.h"
#include "admin/state.h"

namespace ts2021::admin {

struct Row;

// A call under way; lives while its handler runs.
struct Call {
  State& state;
  Flow& flow;
  const Request& request;
  const Row& row;
};

struct Row {
  Method method{};
  std::string_view pattern;
  Outcome (*handle)(Call&);
  std::string_view summary;
  std::string_view query;     // names of its parameters, between spaces
  std::string_view request;   // schema of the body; empty: none
  std::string_view response;  // schema of the answer; empty: 204
  int status = 200;           // with an answer
};

[[nodiscard]] std::span<const Row> rows() noexcept;

inline constexpr std::size_t max_body = std::size_t{256} << 20;

}  // namespace ts2021::admin

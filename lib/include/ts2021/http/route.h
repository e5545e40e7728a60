// SPDX-License-Identifier: BSD-3-Clause
// Routes: what the transport must know to answer 404, 405 and 413 before a body is read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "ts2021/http/message.h"

namespace ts2021 {

enum class RouteId : std::uint8_t {};

struct Route {
  RouteId id;
  Site site;
  Method method;  // a route for GET also takes HEAD
  std::string_view
      pattern;           // "/machine/ssh/action/{}/to/{}": each {} is one whole non-empty segment, at most 4
  std::size_t max_body;  // bytes; a longer body is answered 413
};

// What a request line finds. `args` are views into the path, not percent-decoded.
struct RouteMatch {
  enum class Kind : std::uint8_t { found, wrong_method, unknown } kind = Kind::unknown;
  RouteId id{};
  std::size_t max_body = 0;
  std::array<std::string_view, 4> args{};
  std::array<Method, 8> allowed{};  // with wrong_method: for the Allow header
  std::size_t allowed_count = 0;
};

// `path` without query. Rows are looked at in order; the first full match wins.
[[nodiscard]] RouteMatch match_route(std::span<const Route> routes, Site site, Method method,
                                     std::string_view path) noexcept;

// Removes scheme and authority of an absolute-form target and splits off the query (without '?').
// False when the result does not begin with '/'.
[[nodiscard]] bool split_target(std::string_view target, std::string_view& path,
                                std::string_view& query) noexcept;

// First value of `name` in a query, still percent-encoded; null data() when absent.
[[nodiscard]] std::string_view query_value(std::string_view query, std::string_view name) noexcept;

// One request, whole and within its route's limit. All views live until release(stream) of the connection.
struct Request {
  StreamId stream{};
  Site site{};
  RouteId route{};
  Method method{};
  std::string_view path;
  std::string_view query;
  std::array<std::string_view, 4> args{};
  std::span<const Header> headers;  // names in lower case
  Bytes body;                       // at least 64 readable bytes follow it (simdjson's padding)
};

inline constexpr std::size_t body_padding = 64;

}  // namespace ts2021

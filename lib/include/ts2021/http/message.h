// SPDX-License-Identifier: BSD-3-Clause
// The vocabulary of HTTP that both sites share: HTTP/1.1 outside (entry) and HTTP/2 inside Noise (h2).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ts2021/base/bytes.h"

namespace ts2021 {

enum class Method : std::uint8_t { get, head, post, put, patch, remove, options, other };
[[nodiscard]] Method parse_method(std::string_view text) noexcept;  // exact, upper case; else other
[[nodiscard]] std::string_view text(Method method) noexcept;

// outer: HTTP/1.1 in the clear or in TLS. noise: HTTP/2 inside Noise.
enum class Site : std::uint8_t { outer, noise };

// A request and its answer within one connection. On the outer site they count from 1, one at a time.
enum class StreamId : std::int32_t {};

struct Header {
  std::string_view name;  // lower case in what we receive; compare with same_token in what we build
  std::string_view value;
};

// ASCII comparison without regard to case.
[[nodiscard]] bool same_token(std::string_view a, std::string_view b) noexcept;
// The first value of `name`; empty when absent.
[[nodiscard]] std::string_view find_header(std::span<const Header> headers, std::string_view name) noexcept;

// What an answer begins with. `content_type` may be empty. `more`: Retry-After, Allow, Location,
// Cache-Control.
struct ResponseHead {
  int status = 200;
  std::string_view content_type{};
  std::span<const Header> more{};
};

// The standard reason phrase of a status, for HTTP/1.1; "Unknown" for one that we never send.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

}  // namespace ts2021

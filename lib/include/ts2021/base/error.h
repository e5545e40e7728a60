// SPDX-License-Identifier: BSD-3-Clause
// Errors as small values: what went wrong, which check noticed it, whose fault it is.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace ts2021 {

enum class Errc : std::uint16_t {
#define TS2021_ERROR(number, name, blame, text) name = number,
#include "ts2021/base/error.def"
#undef TS2021_ERROR
};

// Decides the reaction: peer → close the connection; us → a bug, report it; limit → back off; version → tell.
enum class Blame : std::uint8_t { peer, us, limit, version };

// `detail` is a number chosen by the layer (an offset, a status, an nghttp2 code), never text from the peer.
struct Error {
  Errc code{};
  std::uint16_t origin{};  // which check, unique in the library: exact in tests and traces
  std::uint32_t detail{};
  friend bool operator==(const Error&, const Error&) = default;
};
static_assert(sizeof(Error) == 8 && std::is_trivially_copyable_v<Error>);

// Fixed English text without input of the peer; lives for ever.
[[nodiscard]] std::string_view text(Errc code) noexcept;
[[nodiscard]] std::string_view name(Errc code) noexcept;
[[nodiscard]] Blame blame(Errc code) noexcept;

// Makes an error at a check. `origin` is a number of the layer's hundreds, used at one place only.
[[nodiscard]] constexpr Error fail(Errc code, std::uint16_t origin, std::uint32_t detail = 0) noexcept {
  return {code, origin, detail};
}

}  // namespace ts2021

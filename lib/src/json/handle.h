// SPDX-License-Identifier: BSD-3-Clause
// Our values and cursors as simdjson's, and back.
#pragma once

#include <bit>
#include <cstddef>
#include <type_traits>

#include <simdjson.h>

namespace ts2021::json {

// All of simdjson's handles are a document and an index into its tape; so are ours.
struct Handle {
  const void* document;
  std::size_t index;
};
template <class T>
T as(const void* document, std::size_t index) noexcept {
  static_assert(sizeof(T) == sizeof(Handle) && std::is_trivially_copyable_v<T>);
  return std::bit_cast<T>(Handle{document, index});
}
template <class T>
Handle handle(const T& of) noexcept {
  static_assert(sizeof(T) == sizeof(Handle) && std::is_trivially_copyable_v<T>);
  return std::bit_cast<Handle>(of);
}

}  // namespace ts2021::json

// SPDX-License-Identifier: BSD-3-Clause
// Messages from and to JSON. The bodies are instantiated once per message inside the library.
#pragma once

#include <string>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/msg/capability.h"

namespace ts2021 {

// Deepest nesting of arrays and objects that is read.
inline constexpr std::size_t max_json_depth = 64;
// Bytes that must be readable (not meaningful) behind a message given to decode().
inline constexpr std::size_t decode_padding = 64;

// Reads one JSON object. Names match exactly, then without regard to case (API-62); unknown members are
// skipped or kept (field.h), null is "absent". Memory: 32 times the input and 1 MiB; more is limit_exceeded.
// Error bad_json: not JSON, invalid UTF-8, too deep, or a member of a wrong type; `detail` is then the
// number of the outermost member in the field table, from 1. Blame is the peer's.
// Precondition: decode_padding readable bytes follow `json`, as they do after Request::body.
template <class T>
[[nodiscard]] Result<T> decode(Bytes json);
// The same for bytes without padding; copies them.
template <class T>
[[nodiscard]] Result<T> decode_copy(Bytes json);

// Appends JSON as `viewer` understands it: only needed escapes, never null for lists, maps or text, invalid
// UTF-8 replaced, members and elements that would make a client refuse the whole left out (API-64).
template <class T>
void encode(const T& message, Capability viewer, std::string& out);

template <class T>
[[nodiscard]] std::string encoded(const T& message, Capability viewer = any_capability) {
  std::string out;
  encode(message, viewer, out);
  return out;
}

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// Where in a text something stands: a second walk, for the messages that people read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "json/reader.h"

namespace ts2021::json {

// The offset of a value. `path` leads to it from the root: each step is the number of a member, repeated
// names counted, or of an element, from 0. `of_name`: the offset of the name of the last step's member
// instead. Preconditions: Document::parse() accepts `text`; `padding` readable bytes behind it; the path
// exists.
[[nodiscard]] std::size_t locate(Bytes text, std::span<const std::uint32_t> path, bool of_name) noexcept;

// The offset at which a text that Document::parse() refuses stops making sense; at most its size.
// Precondition: `padding` readable bytes behind `text`.
[[nodiscard]] std::size_t broken_at(Bytes text) noexcept;

// Where an offset is for people.
struct Place {
  std::uint32_t line = 1;    // from 1
  std::uint32_t column = 1;  // in bytes, from 1
};
[[nodiscard]] Place place_of(std::string_view text, std::size_t offset) noexcept;

}  // namespace ts2021::json

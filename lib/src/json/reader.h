// SPDX-License-Identifier: BSD-3-Clause
// Reading of JSON: a thin, non-throwing view of simdjson's DOM. The only module that includes simdjson.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"

namespace ts2021::json {

inline constexpr std::size_t max_depth = 64;
// Bytes that must be readable behind what parse() gets.
inline constexpr std::size_t padding = 64;

[[nodiscard]] bool valid_utf8(Bytes text) noexcept;

enum class Type : std::uint8_t { null, boolean, integer, floating, string, array, object };

// One value of a Document, which must outlive it; two words, to be copied.
class Value {
 public:
  [[nodiscard]] Type type() const noexcept;
  [[nodiscard]] bool is_null() const noexcept { return type() == Type::null; }

  // False when the value has another type or does not fit; `out` is then as before.
  [[nodiscard]] bool get(bool& out) const noexcept;
  [[nodiscard]] bool get(std::int64_t& out) const noexcept;
  [[nodiscard]] bool get(std::uint64_t& out) const noexcept;
  [[nodiscard]] bool get(double& out) const noexcept;            // integers too
  [[nodiscard]] bool get(std::string_view& out) const noexcept;  // without escapes, valid UTF-8

 private:
  friend class Document;
  friend class ArrayCursor;
  friend class ObjectCursor;
  const void* document_ = nullptr;
  std::size_t index_ = 0;
};

class ArrayCursor {
 public:
  // Precondition: `array` has the type array.
  explicit ArrayCursor(Value array) noexcept;
  // A lower bound from 16,777,215 on.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] bool next(Value& item) noexcept;

 private:
  const void* document_;
  std::size_t index_, end_, count_;
};

class ObjectCursor {
 public:
  // Precondition: `object` has the type object.
  explicit ObjectCursor(Value object) noexcept;
  [[nodiscard]] bool next(std::string_view& name, Value& item) noexcept;  // in order, repeated names too

 private:
  const void* document_;
  std::size_t index_, end_;
};

// A parsed text and its memory: up to 14 times the longest text so far, which is kept for the next.
class Document {
 public:
  Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  // Exactly one value with nothing but space around it. Ends the values of the parse before. The text may go
  // afterwards. Errors: bad_json (detail: simdjson's number), limit_exceeded (4 GiB), out_of_memory.
  // Precondition: `padding` readable bytes behind `text`.
  [[nodiscard]] Result<Value> parse(Bytes text) noexcept;
  // The same without padding; copies.
  [[nodiscard]] Result<Value> parse_copy(Bytes text) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021::json

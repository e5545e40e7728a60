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

class Writer;

// One value of a Document, which must outlive it.
class Value {
 public:
  [[nodiscard]] Type type() const noexcept { return type_; }
  [[nodiscard]] bool is_null() const noexcept { return type_ == Type::null; }

  // False when the value has another type or does not fit; `out` is then as before.
  [[nodiscard]] bool get(bool& out) const noexcept {
    if (type_ != Type::boolean) return false;
    out = scalar_.boolean;
    return true;
  }
  [[nodiscard]] bool get(std::int64_t& out) const noexcept {
    if (type_ != Type::integer || is_big_) return false;
    out = scalar_.integer;
    return true;
  }
  [[nodiscard]] bool get(std::uint64_t& out) const noexcept {
    if (type_ != Type::integer || (!is_big_ && scalar_.integer < 0)) return false;
    out = is_big_ ? scalar_.big : static_cast<std::uint64_t>(scalar_.integer);
    return true;
  }
  [[nodiscard]] bool get(double& out) const noexcept {  // integers too
    if (type_ == Type::floating)
      out = scalar_.floating;
    else if (type_ == Type::integer)
      out = is_big_ ? static_cast<double>(scalar_.big) : static_cast<double>(scalar_.integer);
    else
      return false;
    return true;
  }
  [[nodiscard]] bool get(std::string_view& out) const noexcept {  // without escapes, valid UTF-8
    if (type_ != Type::string) return false;
    out = {scalar_.text, text_size_};
    return true;
  }

 private:
  friend class Document;
  friend class ArrayCursor;
  friend class ObjectCursor;
  friend void write(const Value& value, Writer& writer);
  // What stands at this place of simdjson's tape, taken out at once: members are read one after the other.
  void load(const void* document, std::size_t index, bool has_escapes) noexcept;

  const void* document_ = nullptr;
  std::size_t index_ = 0;
  union {
    bool boolean;
    std::int64_t integer = 0;
    std::uint64_t big;
    double floating;
    const char* text;
  } scalar_;
  std::uint32_t text_size_ = 0;
  Type type_ = Type::null;
  bool is_big_ = false;       // an integer above the signed ones
  bool has_escapes_ = false;  // the text of the document has a backslash somewhere
};

class ArrayCursor {
 public:
  // Precondition: `array` has the type array.
  explicit ArrayCursor(const Value& array) noexcept;
  // A lower bound from 16,777,215 on.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] bool next(Value& item) noexcept;

 private:
  const void* document_;
  std::size_t index_, end_, count_;
  bool has_escapes_;
};

class ObjectCursor {
 public:
  // Precondition: `object` has the type object.
  explicit ObjectCursor(const Value& object) noexcept;
  [[nodiscard]] bool next(std::string_view& name, Value& item) noexcept;  // in order, repeated names too

 private:
  const void* document_;
  std::size_t index_, end_;
  bool has_escapes_;
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

// SPDX-License-Identifier: BSD-3-Clause
// Writing of JSON: appends to a string, no tree. Only what must be escaped is escaped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "json/reader.h"

namespace ts2021::json {

// Puts commas where they belong. What it writes is valid when calls are balanced and every name has a value.
class Writer {
 public:
  // Appends to `out`, which must outlive it and belongs to it meanwhile.
  explicit Writer(std::string& out) noexcept : out_(out), start_(out.size()) {}

  void begin_object() { open('{'); }
  void end_object() { out_ += '}'; }
  void begin_array() { open('['); }
  void end_array() { out_ += ']'; }

  // `name` must not need escapes.
  void plain_name(std::string_view name);
  void name(std::string_view name);

  void string(std::string_view text);  // invalid UTF-8 becomes U+FFFD, byte by byte
  void integer(std::int64_t value);
  void integer(std::uint64_t value);
  void floating(double value);  // shortest form that reads back the same; 0 for what JSON can't say
  void boolean(bool value);
  void null();
  void raw(std::string_view json);  // one valid value

 private:
  void comma();
  void open(char bracket) {
    comma();
    out_ += bracket;
  }

  std::string& out_;
  std::size_t start_;
};

// The value as text without needless spaces and escapes.
void write(Value value, Writer& writer);

}  // namespace ts2021::json

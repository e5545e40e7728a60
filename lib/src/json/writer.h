// SPDX-License-Identifier: BSD-3-Clause
// Writing of JSON: appends to a string, no tree. Only what must be escaped is escaped.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "json/reader.h"

namespace ts2021::json {

// Its text needs no escapes and has at most max_text_size bytes; write_text() returns the end.
template <class T>
concept ShortText = requires(const T& value, char* out) {
  { T::max_text_size } -> std::convertible_to<std::size_t>;
  { value.write_text(out) } -> std::same_as<char*>;
};

// Puts commas where they belong. What it writes is valid when calls are balanced and every name has a value.
// Gathers small pieces in a block of its own: `out` is complete after flush(), or when the writer is gone.
class Writer {
 public:
  // Appends to `out`, which must outlive it and belongs to it meanwhile.
  explicit Writer(std::string& out) noexcept : out_(out) {}
  ~Writer() { flush(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  // `quoted`: the name in quotes and a colon.
  template <std::size_t N>
  void quoted_name(const std::array<char, N>& quoted) {
    static_assert(N < block_size);
    char* at = begin(N);
    std::memcpy(at, quoted.data(), N);
    end(at + N, false);
  }
  void name(std::string_view name);
  // Precondition: valid UTF-8 that needs no escapes. The same for plain_string().
  void plain_name(std::string_view name) { put_quoted<'"', ':'>(name, false); }

  void string(std::string_view text);  // invalid UTF-8 becomes U+FFFD, byte by byte
  void plain_string(std::string_view text) { put_quoted<'"'>(text, true); }
  template <ShortText T>
  void text(const T& value) {
    static_assert(T::max_text_size + 2 < block_size);
    char* at = begin(T::max_text_size + 2);
    *at = '"';
    at = value.write_text(at + 1);
    *at = '"';
    end(at + 1, true);
  }
  void integer(std::int64_t value);
  void integer(std::uint64_t value);
  void floating(double value);  // shortest form that reads back the same; 0 for what JSON can't say
  void boolean(bool value) { value ? word("true") : word("false"); }
  void null() { word("null"); }
  void raw(std::string_view json);  // one valid value

  void flush() {
    out_.append(block_.data(), used_);
    used_ = 0;
  }

 private:
  static constexpr std::size_t block_size = 1024;

  // Room for a comma, which is put when one belongs here, and `size` bytes.
  char* begin(std::size_t size) {
    if (block_size - used_ <= size) flush();
    char* at = block_.data() + used_;
    if (comma_) *at++ = ',';
    return at;
  }
  void end(const char* at, bool comma) noexcept {
    used_ = static_cast<std::size_t>(at - block_.data());
    comma_ = comma;
  }
  void open(char bracket) {
    char* at = begin(1);
    *at = bracket;
    end(at + 1, false);
  }
  void close(char bracket) {
    comma_ = false;
    char* at = begin(1);
    *at = bracket;
    end(at + 1, true);
  }
  template <std::size_t N>
  void word(const char (&text)[N]) {
    char* at = begin(N - 1);
    std::memcpy(at, text, N - 1);
    end(at + N - 1, true);
  }
  template <char... After>
  void put_quoted(std::string_view plain, bool comma) {
    const bool fits = plain.size() < block_size / 2;
    char* at = begin(fits ? plain.size() + 1 + sizeof...(After) : 1);
    *at++ = '"';
    if (fits) {
      at = std::copy(plain.begin(), plain.end(), at);
      ((*at++ = After), ...);
      return end(at, comma);
    }
    end(at, comma);
    constexpr char after[] = {After...};
    put(plain);
    put({after, sizeof after});
  }
  void put(std::string_view bytes);
  void put_escaped(std::string_view text);

  std::string& out_;
  std::size_t used_ = 0;
  bool comma_ = false;  // a value stands before
  std::array<char, block_size> block_;
};

// The value as text without needless spaces and escapes.
void write(const Value& value, Writer& writer);
[[nodiscard]] std::string written(const Value& value);

}  // namespace ts2021::json

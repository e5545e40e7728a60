// SPDX-License-Identifier: BSD-3-Clause
#include "json/writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "json/utf8.h"

namespace ts2021::json {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";
constexpr std::size_t number_size = 32;  // the longest number, and more

constexpr auto plain = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0x20; i < 0x80; ++i) table[i] = i != '"' && i != '\\';
  return table;
}();

using Word = std::uint64_t;

// Whether all eight bytes need no second look: no control character, quote or backslash, and ASCII.
bool is_plain(Word word) noexcept {
  constexpr Word ones = 0x0101010101010101, high = 0x8080808080808080;
  const auto zero_byte = [](Word of) { return (of - ones) & ~of; };  // in the bits of `high`
  const Word control = (word - 0x20 * ones) & ~word;
  return ((word | control | zero_byte(word ^ '"' * ones) | zero_byte(word ^ '\\' * ones)) & high) == 0;
}

Word load_word(const char* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

bool is_plain(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; at + sizeof(Word) <= text.size(); at += sizeof(Word))
    if (!is_plain(load_word(text.data() + at))) return false;
  if (at == text.size()) return true;
  if (text.size() >= sizeof(Word)) return is_plain(load_word(text.data() + text.size() - sizeof(Word)));
  return std::all_of(text.begin(), text.end(), [](char c) { return plain[static_cast<unsigned char>(c)]; });
}

}  // namespace

void Writer::put(std::string_view bytes) {
  if (block_size - used_ < bytes.size()) {
    flush();
    if (bytes.size() > block_size) {
      out_.append(bytes);
      return;
    }
  }
  std::copy(bytes.begin(), bytes.end(), block_.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ += bytes.size();
}

void Writer::put_escaped(std::string_view text) {
  for (;;) {
    std::size_t run = 0;
    while (run < text.size() && plain[static_cast<unsigned char>(text[run])]) ++run;
    put(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) return;
    const unsigned char byte = static_cast<unsigned char>(text[0]);
    std::size_t taken = 1;
    if (byte >= 0x80) {
      const std::size_t size = sequence_size(text);
      put(size != 0 ? text.substr(0, size) : replacement);
      taken = size != 0 ? size : 1;
    } else if (byte == '"') {
      put("\\\"");
    } else if (byte == '\\') {
      put("\\\\");
    } else if (byte == '\n') {
      put("\\n");
    } else if (byte == '\r') {
      put("\\r");
    } else if (byte == '\t') {
      put("\\t");
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      const char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
      put({escape, sizeof escape});
    }
    text.remove_prefix(taken);
  }
}

void Writer::name(std::string_view name) {
  string(name);
  put(":");
  comma_ = false;
}

void Writer::string(std::string_view text) {
  if (is_plain(text)) return plain_string(text);
  char* at = begin(1);
  *at = '"';
  end(at + 1, true);
  put_escaped(text);
  put("\"");
}

void Writer::integer(std::int64_t value) {
  char* at = begin(number_size);
  end(std::to_chars(at, at + number_size, value).ptr, true);
}
void Writer::integer(std::uint64_t value) {
  char* at = begin(number_size);
  end(std::to_chars(at, at + number_size, value).ptr, true);
}
void Writer::floating(double value) {
  if (!std::isfinite(value)) value = 0;
  char* at = begin(number_size);
  char* last = std::to_chars(at, at + number_size, value).ptr;
  // A long run of digits would read as an integer out of range.
  if (last - at >= 18 && std::find_if(at, last, [](char c) { return c == '.' || c == 'e'; }) == last)
    last = std::to_chars(at, at + number_size, value, std::chars_format::scientific).ptr;
  end(last, true);
}
void Writer::raw(std::string_view json) {
  char* at = begin(0);
  end(at, true);
  put(json);
}

}  // namespace ts2021::json

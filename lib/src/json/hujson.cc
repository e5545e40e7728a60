// SPDX-License-Identifier: BSD-3-Clause
#include "json/hujson.h"

#include <string_view>

namespace ts2021::json {
namespace {

constexpr std::size_t npos = std::string::npos;

// Line ends stay, for the sake of line numbers.
void blank(std::string& text, std::size_t from, std::size_t to) noexcept {
  for (std::size_t i = from; i < to; ++i)
    if (text[i] != '\n' && text[i] != '\r') text[i] = ' ';
}

// Behind the closing quote of the string that begins at `at`.
std::size_t string_end(std::string_view text, std::size_t at) noexcept {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    } else if (text[at] == '\n') {
      break;  // no string of JSON has one
    }
  }
  return npos;
}

// Behind the comment that begins at `at`.
std::size_t comment_end(std::string_view text, std::size_t at) noexcept {
  if (text[at + 1] == '/') {
    const std::size_t end = text.find('\n', at);
    return end == npos ? text.size() : end;
  }
  const std::size_t end = text.find("*/", at + 2);
  return end == npos ? npos : end + 2;
}

}  // namespace

std::optional<std::size_t> blank_extras(std::string& text) noexcept {
  char last = 0, before = 0;  // the newest two characters that mean something
  std::size_t last_at = 0;    // where `last` stands
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at;
      continue;
    }
    if (c == '/' && at + 1 < text.size() && (text[at + 1] == '/' || text[at + 1] == '*')) {
      const std::size_t end = comment_end(text, at);
      if (end == npos) return at;
      blank(text, at, end);
      at = end;
      continue;
    }
    // Only one comma, and only behind a value.
    const bool closes = c == ']' || c == '}';
    if (closes && last == ',' && before != ',' && before != '[' && before != '{' && before != 0)
      text[last_at] = ' ';
    before = last;
    last = c;
    last_at = at;
    if (c == '"') {
      const std::size_t end = string_end(text, at);
      if (end == npos) return at;
      at = end;
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

}  // namespace ts2021::json

// SPDX-License-Identifier: BSD-3-Clause
#include "common/json_text.h"

#include <cmath>
#include <cstdio>

namespace ts2021::app {

void JsonText::separate() {
  if (comma_) out_ += ',';
}

JsonText& JsonText::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

JsonText& JsonText::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

JsonText& JsonText::word(std::string_view word) {
  separate();
  out_ += word;
  comma_ = true;
  return *this;
}

void JsonText::quote(std::string_view text) {
  out_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out_ += '\\';
    out_ += c >= 0x20 && c < 0x7f ? c : '?';
  }
  out_ += '"';
}

JsonText& JsonText::name(std::string_view name) {
  separate();
  quote(name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonText& JsonText::value(std::string_view text) {
  separate();
  quote(text);
  comma_ = true;
  return *this;
}

JsonText& JsonText::value(double value) {
  if (!std::isfinite(value)) return word("null");
  char text[400];
  std::string_view shown(text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.6f", value)));
  while (shown.ends_with('0')) shown.remove_suffix(1);
  if (shown.ends_with('.')) shown.remove_suffix(1);
  return word(shown == "-0" ? "0" : shown);
}

}  // namespace ts2021::app

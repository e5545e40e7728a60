// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

namespace ts2021::app {

// Text of a stranger for a terminal: one line, what is not printable ASCII becomes '?', at most `max` bytes.
[[nodiscard]] inline std::string printable(std::string_view text, std::size_t max = 200) {
  std::string out;
  for (const char c : text.substr(0, max)) out += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > max) out += "...";
  return out;
}

}  // namespace ts2021::app

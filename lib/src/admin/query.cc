// SPDX-License-Identifier: BSD-3-Clause
#include "admin/query.h"

#include <charconv>

#include "admin/duration.h"
#include "ts2021/http/route.h"

namespace ts2021::admin {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> query_text(std::string_view query, std::string_view name) {
  const std::string_view raw = query_value(query, name);
  if (!raw.data()) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '%' && i + 2 < raw.size() && digit(raw[i + 1]) >= 0 && digit(raw[i + 2]) >= 0) {
      out += static_cast<char>(digit(raw[i + 1]) << 4 | digit(raw[i + 2]));
      i += 2;
    } else {
      out += raw[i] == '+' ? ' ' : raw[i];
    }
  }
  return out;
}

std::optional<Instant::duration> patience(std::string_view query) {
  const auto text = query_text(query, "timeout");
  if (!text) return default_patience;
  const auto given = parse_duration(*text);
  return given && *given <= max_patience ? given : std::nullopt;
}

std::optional<bool> pushes(std::string_view query) {
  const auto text = query_text(query, "push");
  if (!text || *text == "true") return true;
  if (*text == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_number(std::string_view text) noexcept {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> parse_name(char prefix, std::string_view text) noexcept {
  if (!text.starts_with(prefix)) return std::nullopt;
  const auto number = parse_number(text.substr(1));
  if (!number || *number <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::vector<std::string_view> comma_list(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    if (!part.empty()) out.push_back(part);
    text.remove_prefix(part.size() < text.size() ? part.size() + 1 : text.size());
  }
  return out;
}

}  // namespace ts2021::admin

// SPDX-License-Identifier: BSD-3-Clause
#include "admin/duration.h"

#include <charconv>

namespace ts2021::admin {

std::optional<Instant::duration> parse_duration(std::string_view text) noexcept {
  using std::chrono::milliseconds;
  if (text.empty()) return std::nullopt;
  constexpr auto max = std::chrono::floor<milliseconds>(max_duration);  // in finer units sums overflow
  milliseconds sum{};
  while (!text.empty()) {
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    milliseconds unit{};
    if (text.starts_with("ms"))
      unit = milliseconds{1};
    else if (text.starts_with('s'))
      unit = std::chrono::seconds{1};
    else if (text.starts_with('m'))
      unit = std::chrono::minutes{1};
    else if (text.starts_with('h'))
      unit = std::chrono::hours{1};
    else
      return std::nullopt;
    text.remove_prefix(text.starts_with("ms") ? 2 : 1);
    sum += count * unit;
    if (sum > max) return std::nullopt;
  }
  return sum;
}

}  // namespace ts2021::admin

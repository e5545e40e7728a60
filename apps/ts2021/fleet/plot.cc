// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace ts2021::app::fleet {
namespace {

constexpr int width = 860, panel_height = 330, left = 60, right = 220, top = 36, bottom = 44;
constexpr int plot_width = width - left - right, plot_height = panel_height - top - bottom;
constexpr std::array colours{"#1b6ca8", "#c8553d", "#3c896d", "#8e5ea2", "#b8860b",
                             "#5c6b73", "#d1495b", "#2e86ab", "#6a994e"};
constexpr std::size_t max_points = 400;  // of a line

[[gnu::format(printf, 2, 3)]] void print(std::string& out, const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  out += text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c >= 0x20 && c < 0x7f ? c : '?';
  }
  return out;
}

struct Scale {
  int first = 0, last = 1;  // powers of ten, in microseconds
  [[nodiscard]] double x(std::uint64_t microseconds) const {
    const double at = std::log10(std::max(1.0, static_cast<double>(microseconds)));
    return left + plot_width * (at - first) / (last - first);
  }
};
double y(double share) { return top + plot_height * (1 - share); }

Scale scale_of(const Panel& panel) {
  std::uint64_t least = UINT64_MAX, most = 1;
  for (const auto& line : panel.lines)
    for (const auto& [value, share] : line.points) {
      least = std::min(least, std::max<std::uint64_t>(value, 1));
      most = std::max(most, value);
    }
  Scale scale;
  scale.first = static_cast<int>(std::floor(std::log10(static_cast<double>(std::min(least, most)))));
  scale.last = static_cast<int>(std::ceil(std::log10(static_cast<double>(most))));
  if (scale.last <= scale.first) scale.last = scale.first + 1;
  return scale;
}

std::string time_text(int power) {
  static constexpr std::array names{"1 us",   "10 us", "100 us", "1 ms", "10 ms",
                                    "100 ms", "1 s",   "10 s",   "100 s"};
  return power >= 0 && static_cast<std::size_t>(power) < names.size() ? names[static_cast<std::size_t>(power)]
                                                                      : "10^" + std::to_string(power) + " us";
}

void draw_axes(std::string& out, const Panel& panel, const Scale& scale) {
  print(out, "<text x='%d' y='22' font-size='15' font-weight='bold'>%s</text>\n", left,
        escaped(panel.title).c_str());
  for (int power = scale.first; power <= scale.last; ++power) {
    const double x =
        left + static_cast<double>(plot_width) * (power - scale.first) / (scale.last - scale.first);
    print(out, "<line x1='%.1f' y1='%d' x2='%.1f' y2='%d' stroke='#ddd'/>\n", x, top, x, top + plot_height);
    print(out, "<text x='%.1f' y='%d' text-anchor='middle'>%s</text>\n", x, top + plot_height + 18,
          time_text(power).c_str());
  }
  for (const double share : {0.0, 0.25, 0.5, 0.75, 0.9, 1.0}) {
    print(out, "<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='#ddd'/>\n", left, y(share),
          left + plot_width, y(share));
    print(out, "<text x='%d' y='%.1f' text-anchor='end'>%g %%</text>\n", left - 6, y(share) + 4, share * 100);
  }
  print(out, "<rect x='%d' y='%d' width='%d' height='%d' fill='none' stroke='#444'/>\n", left, top,
        plot_width, plot_height);
  print(out, "<text x='%d' y='%d' text-anchor='middle'>time; share of all that took no longer</text>\n",
        left + plot_width / 2, top + plot_height + 36);
}

void draw_line(std::string& out, const Panel::Line& line, const Scale& scale, std::size_t number) {
  const char* const colour = colours[number % colours.size()];
  const std::size_t stride = line.points.size() / max_points + 1;
  out += "<polyline fill='none' stroke-width='1.8' stroke='";
  out += colour;
  out += "' points='";
  double share_before = 0;
  for (std::size_t i = 0; i < line.points.size(); i += stride) {
    const auto& [value, share] = line.points[i];
    print(out, "%.1f,%.1f %.1f,%.1f ", scale.x(value), y(share_before), scale.x(value), y(share));
    share_before = share;
  }
  if (!line.points.empty())
    print(out, "%.1f,%.1f", scale.x(line.points.back().first), y(line.points.back().second));
  out += "'/>\n";
  const int at = top + 14 + static_cast<int>(number) * 18;
  print(out, "<line x1='%d' y1='%d' x2='%d' y2='%d' stroke='%s' stroke-width='3'/>\n", left + plot_width + 12,
        at - 4, left + plot_width + 32, at - 4, colour);
  print(out, "<text x='%d' y='%d'>%s</text>\n", left + plot_width + 38, at, escaped(line.name).c_str());
}

}  // namespace

std::string svg(const std::vector<Panel>& panels) {
  std::string out;
  const int height = panel_height * static_cast<int>(std::max<std::size_t>(panels.size(), 1));
  print(out,
        "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %d %d' "
        "font-family='sans-serif' font-size='12'>\n<rect width='100%%' height='100%%' fill='white'/>\n",
        width, height, width, height);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    print(out, "<g transform='translate(0,%d)'>\n", static_cast<int>(i) * panel_height);
    const Scale scale = scale_of(panels[i]);
    draw_axes(out, panels[i], scale);
    for (std::size_t k = 0; k < panels[i].lines.size(); ++k) draw_line(out, panels[i].lines[k], scale, k);
    out += "</g>\n";
  }
  return out + "</svg>\n";
}

}  // namespace ts2021::app::fleet

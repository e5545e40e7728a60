// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/plot.h"

#include "support/catch.h"
#include "ts2021/fleet/histogram.h"

namespace ts2021::app::fleet {
namespace {

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST_CASE("plot: a panel per scenario, a line per curve, axes with units") {
  Histogram fast, slow;
  for (std::uint64_t i = 1; i <= 1'000; ++i) {
    fast.add(i * 10);
    slow.add(i * 3'000);
  }
  const std::string picture = svg({{"join <1> & more", {{"fast", fast.curve()}, {"slow", slow.curve()}}},
                                   {"storm", {{"slow", slow.curve()}}}});
  CHECK(picture.starts_with("<svg "));
  CHECK(picture.ends_with("</svg>\n"));
  CHECK(count(picture, "<polyline") == 3);
  CHECK(count(picture, "<g ") == 2);
  CHECK(count(picture, "</g>") == 2);
  CHECK(picture.find("join &lt;1&gt; &amp; more") != std::string::npos);
  for (const char* label : {">10 us<", ">1 ms<", ">10 s<", ">50 %<", ">100 %<", ">fast<"})
    CHECK(picture.find(label) != std::string::npos);
  CHECK(picture.find("nan") == std::string::npos);
  CHECK(picture.find("inf") == std::string::npos);
}

TEST_CASE("plot: nothing, and a single point") {
  CHECK(svg({}).starts_with("<svg "));
  Histogram one;
  one.add(0);
  const std::string picture = svg({{"one", {{"zero", one.curve()}}}, {"none", {{"empty", {}}}}});
  CHECK(picture.find("nan") == std::string::npos);
  CHECK(picture.find("inf") == std::string::npos);
}

}  // namespace
}  // namespace ts2021::app::fleet

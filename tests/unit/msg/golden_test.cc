// SPDX-License-Identifier: BSD-3-Clause
// What each capability class gets, as files that a reviewer can read.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "sample_map.h"
#include "support/catch.h"
#include "support/support.h"
#include "ts2021/msg/register.h"

namespace ts2021 {
namespace {

std::string map_for(Capability viewer) {
  MapResponse map = test::sample_map();
  downlevel(map, viewer, std::make_unique<test::OneHolder>().get());
  return encoded(map, viewer) + "\n";
}

// One member per line, so that differences are readable.
std::string lines(std::string json) {
  std::string out;
  int depth = 0;
  bool text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (text && c == '\\') {
      out += c;
      out += json[++i];
      continue;
    }
    if (c == '"') text = !text;
    if (!text && (c == '{' || c == '[')) ++depth;
    if (!text && (c == '}' || c == ']')) --depth;
    out += c;
    if (!text && c == ',' && depth <= 3) out += '\n';
  }
  return out;
}

TEST_CASE("golden: every capability class") {
  const std::filesystem::path folder = test::vector_path("msg/golden/MapResponse");
  const bool update = std::getenv("TS2021_UPDATE_GOLDEN") != nullptr;
  if (update) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  std::set<std::string> expected;
  for (std::size_t i = 0; i < capability_class_count(); ++i) {
    const Capability viewer = lowest(static_cast<CapabilityClass>(i));
    const std::string file = std::to_string(static_cast<unsigned>(viewer)) + ".json";
    expected.insert(file);
    const std::string now = lines(map_for(viewer));
    if (update) std::ofstream(folder / file, std::ios::binary) << now;
    INFO(file);
    CHECK(test::string(test::read_file((folder / file).string())) == now);
    auto again = decode_copy<MapResponse>(as_bytes(now));
    REQUIRE(again);
    CHECK(lines(encoded(*again, viewer)) + "\n" == now);
  }
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    found.insert(entry.path().filename().string());
  CHECK(found == expected);
}

TEST_CASE("golden: all versions of a class get the same bytes, and neighbours do not") {
  std::string before;
  for (std::size_t i = 0; i < capability_class_count(); ++i) {
    const auto of = static_cast<CapabilityClass>(i);
    const std::string first = map_for(lowest(of));
    INFO(static_cast<unsigned>(lowest(of)));
    CHECK((first != before));
    before = first;
    const std::size_t end = i + 1 < capability_class_count()
                                ? static_cast<std::size_t>(lowest(static_cast<CapabilityClass>(i + 1)))
                                : 200;
    for (std::size_t number = static_cast<std::size_t>(lowest(of)); number < end; ++number) {
      const auto viewer = static_cast<Capability>(number);
      REQUIRE(capability_class(viewer) == of);
      REQUIRE((map_for(viewer) == first));
    }
  }
}

}  // namespace
}  // namespace ts2021

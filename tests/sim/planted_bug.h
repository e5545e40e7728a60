// SPDX-License-Identifier: BSD-3-Clause
// The bugs of coord/planted.h, for tests that are built with them.
#pragma once

#include <string_view>

#include "coord/planted.h"

namespace ts2021::test {

struct PlantedBug {
  coord::Planted bug;
  std::string_view name, text;
};
inline constexpr PlantedBug planted_bugs[] = {
#define BUG(name, text) {coord::Planted::name, #name, text},
    TS_PLANTED_BUGS(BUG)
#undef BUG
};

// Ends the bug with the test, also when it fails.
struct Plant {
  explicit Plant(coord::Planted bug) { coord::planted_bug = bug; }
  ~Plant() { coord::planted_bug = coord::Planted::none; }
  Plant(const Plant&) = delete;
  Plant& operator=(const Plant&) = delete;
};

}  // namespace ts2021::test

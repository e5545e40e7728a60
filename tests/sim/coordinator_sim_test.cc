// SPDX-License-Identifier: BSD-3-Clause
#include "sim/coordinator_world.h"

#include <cstdio>

#include "sim/planted_bug.h"
#include "support/catch.h"

namespace ts2021::coord {
Planted planted_bug = Planted::none;
}

namespace ts2021::test {

TEST_CASE("every client sees what it ought to, whatever the schedule") {
  static std::uint64_t paired = 0, laid = 0;  // few pairs drawn see each other
  static std::uint64_t expanded = 0;          // few of the policies drawn name sources by capability
  const std::uint64_t seed = GENERATE(range(1u, 7u));
  INFO("seed " << seed);
  CoordinatorWorld world(seed, 40);
  CHECK(world.run(1'500, 250) == "");
  // It was no quiet life.
  CHECK(world.tally.compared > 50);
  CHECK(world.counters().full_maps > 100);
  CHECK(world.tally.updates > 200);
  CHECK(world.tally.cancels > 0);
  CHECK(world.tally.replaced > 10);
  CHECK(world.tally.removed > 0);
  CHECK(world.tally.stale > 10);
  CHECK(world.tally.orders > 50);
  CHECK(world.tally.pages > 0);
  CHECK(world.judged().primaries > 0);
  CHECK(world.judged().hidden > 0);
  expanded += world.judged().expanded;
  if (seed == 6) CHECK(expanded > 3);
  CHECK(world.judged().shown > 0);
  paired += world.judged().paired;
  if (seed == 6) CHECK(paired > 3);
  laid += world.judged().laid;
  if (seed == 6) CHECK(laid > 3);
}

TEST_CASE("two hundred clients, slow takers among them") {
  CoordinatorWorld world(77, 200);
  CHECK(world.run(1'200, 600) == "");
  CHECK(world.tally.compared > 150);
  CHECK(world.counters().shared_frames > world.tally.frames / 10);
}

TEST_CASE("a small world, in which each frame is judged as a whole") {
  const std::uint64_t seed = GENERATE(range(101u, 105u));
  INFO("seed " << seed);
  CoordinatorWorld world(seed, 10, 1);
  CHECK(world.run(1'500, 250) == "");
  CHECK(world.judged().frames > 500);
  CHECK(world.judged().whole >= world.judged().frames);
}

TEST_CASE("nothing is found where there is no bug") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) CHECK(CoordinatorWorld(seed, 25).run(1'500, 100) == "");
}

TEST_CASE("the world finds each planted bug") {
  const auto& planted = GENERATE(from_range(std::begin(planted_bugs), std::end(planted_bugs)));
  INFO(planted.name << ": " << planted.text);
  const Plant plant(planted.bug);
  std::string found;
  std::uint64_t seed = 0;
  while (found.empty() && ++seed <= 12) found = CoordinatorWorld(seed, 25).run(1'500, 100);
  CHECK(!found.empty());
  std::printf("%-20s seed %2d, %s\n", std::string(planted.name).c_str(), static_cast<int>(seed),
              found.c_str());
}

}  // namespace ts2021::test

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/planted.h"
#include "sim/coordinator_world.h"
#include "support/catch.h"

namespace ts2021::coord {
Planted planted_bug = Planted::none;
}

namespace ts2021::test {
namespace {

// Ends the bug with the test, also when it fails.
struct Plant {
  explicit Plant(coord::Planted bug) { coord::planted_bug = bug; }
  ~Plant() { coord::planted_bug = coord::Planted::none; }
};

}  // namespace

TEST_CASE("every client sees what it ought to, whatever the schedule") {
  static std::uint64_t paired = 0;    // few pairs drawn see each other
  static std::uint64_t expanded = 0;  // few of the policies drawn name sources by capability
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
  CHECK(world.tally.primaries > 0);
  CHECK(world.tally.hidden > 0);
  expanded += world.tally.expanded;
  if (seed == 6) CHECK(expanded > 3);
  CHECK(world.tally.shown > 0);
  paired += world.tally.paired;
  if (seed == 6) CHECK(paired > 3);
  CHECK(world.tally.laid > 0);
}

TEST_CASE("two hundred clients, slow takers among them") {
  CoordinatorWorld world(77, 200);
  CHECK(world.run(1'200, 600) == "");
  CHECK(world.tally.compared > 150);
  CHECK(world.counters().shared_frames > world.tally.frames / 10);
}

TEST_CASE("the world finds each planted bug, and nothing without one") {
  const auto number = GENERATE(range(0, static_cast<int>(coord::Planted::count)));
  INFO("bug " << number);
  const Plant plant(static_cast<coord::Planted>(number));
  std::string found;
  for (std::uint64_t seed = 1; seed <= (number == 0 ? 3u : 12u) && found.empty(); ++seed) {
    CoordinatorWorld world(seed, 25);
    found = world.run(1'500, 100);
  }
  INFO(found);
  CHECK(found.empty() == (number == 0));
}

}  // namespace ts2021::test

// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <cstdlib>

#include "sim/network_world.h"
#include "sim/planted_bug.h"
#include "support/catch.h"

namespace ts2021::coord {
Planted planted_bug = Planted::none;
}

namespace ts2021::test {
namespace {

using std::chrono::hours;

// Sanitizers make a run 5 to 10 times longer.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

// SIM_SEED in the environment repeats a run that failed.
std::uint64_t seed_or(std::uint64_t seed) {
  const char* const given = std::getenv("SIM_SEED");
  return given ? std::strtoull(given, nullptr, 10) : seed;
}

struct Fault {
  NetworkFault fault;
  const char *name, *text;
};
constexpr Fault faults[] = {
#define FAULT(name, text) {NetworkFault::name, #name, text},
    TS_NETWORK_FAULTS(FAULT)
#undef FAULT
};

std::string repeat(std::uint64_t seed, const char* test) {
  return "to repeat: SIM_SEED=" + std::to_string(seed) + " network_sim \"" + test + "\"";
}

void print(const NetworkWorld& world) {
  const auto& t = world.tally;
  std::printf(
      "%zu connections (%zu boxed), %zu bytes, %zu messages (%zu full, %zu keep-alives), %zu updates\n",
      t.lines, t.boxed_lines, t.bytes, t.frames, t.full_maps, t.keep_alives, t.updates);
  std::printf("%zu cuts (%zu silent), %zu stalls, %zu overlaps, %zu rotations, %zu logouts, %zu storms\n",
              t.cuts, t.silent_cuts, t.stalls, t.overlaps, t.rotations, t.logouts, t.storms);
  std::printf("judged %zu messages, %zu whole, %zu peers; %zu maps when all was quiet; digest %016llx\n",
              world.judged().frames, world.judged().whole, world.judged().peers, t.compared,
              static_cast<unsigned long long>(world.digest()));
}

}  // namespace

TEST_CASE("a day of churn") {
  NetworkWorld::Options options;
  options.seed = seed_or(1);
  options.devices = sanitized ? 40 : 250;
  INFO(repeat(options.seed, "a day of churn"));
  NetworkWorld world(options);
  CHECK(world.run(hours{24}) == "");
  print(world);
  // It was no quiet life.
  CHECK(world.tally.lines > options.devices);
  CHECK(world.tally.boxed_lines > 0);
  CHECK(world.tally.updates > 0);
  CHECK(world.tally.cuts > world.tally.storms);
  CHECK(world.tally.silent_cuts > 0);
  CHECK(world.tally.stalls > 0);
  CHECK(world.tally.overlaps > 0);
  CHECK(world.tally.rotations > 0);
  CHECK(world.tally.storms > 0);
  CHECK(world.tally.restarts > 0);
  CHECK(world.tally.orders > 0);
  CHECK(world.tally.compared > options.devices);
  CHECK(world.judged().frames > 100 * options.devices);
  // What waits for the network is bounded: one message at a time for each viewer, and four events.
  CHECK(world.tally.most_online > options.devices / 2);
  CHECK(world.tally.most_events < 8 * options.devices);
}

TEST_CASE("the same seed is the same life, byte for byte") {
  NetworkWorld::Options options;
  options.devices = 20;
  std::uint64_t digests[3]{};
  const std::uint64_t seeds[] = {11, 11, 12};
  for (int i = 0; i < 3; ++i) {
    options.seed = seeds[i];
    NetworkWorld world(options);
    CHECK(world.run(hours{2}) == "");
    digests[i] = world.digest();
  }
  CHECK(digests[0] == digests[1]);
  CHECK(digests[0] != digests[2]);
}

TEST_CASE("the world finds what it does wrong itself") {
  const Fault& planted = GENERATE(from_range(std::begin(faults), std::end(faults)));
  INFO(planted.name << ": " << planted.text);
  NetworkWorld::Options options;
  options.devices = 30;
  options.fault = planted.fault;
  std::string found;
  for (options.seed = 1; options.seed <= 6; ++options.seed) {
    found = NetworkWorld(options).run(hours{24});
    if (!found.empty()) break;
  }
  CHECK(!found.empty());
  std::printf("%-20s seed %d, %s\n", planted.name, static_cast<int>(options.seed), found.c_str());
}

TEST_CASE("nothing is found where nothing is wrong") {
  NetworkWorld::Options options;
  options.devices = 20;
  for (options.seed = 1; options.seed <= (sanitized ? 2u : 6u); ++options.seed) {
    INFO(repeat(options.seed, "a day of churn"));
    CHECK(NetworkWorld(options).run(hours{6}) == "");
  }
}

}  // namespace ts2021::test

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

std::string repeat(const NetworkWorld::Options& options, const char* test) {
  return "to repeat: SIM_SEED=" + std::to_string(options.seed) + " network_sim \"" + test + "\"";
}

}  // namespace

TEST_CASE("a day of churn") {
  NetworkWorld::Options options;
  options.seed = seed_or(1);
  options.devices = sanitized ? 40 : 250;
  if (const char* n = std::getenv("SIM_DEVICES")) options.devices = std::strtoull(n, nullptr, 10);
  INFO(repeat(options, "a day of churn"));
  NetworkWorld world(options);
  CHECK(world.run(hours{24}) == "");
  const auto& t = world.tally;
  std::printf(
      "%zu devices, 24 h, seed %llu: %llu steps, %zu connections (%zu boxed), %.1f MB, %zu messages (%zu "
      "full, %zu "
      "keep-alives), %zu updates, %zu cuts (%zu silent), %zu stalls, %zu overlaps, %zu rotations, %zu "
      "logouts, %zu "
      "naps, %zu storms, %zu restarts, %zu orders, %zu refusals, %zu timeouts, blocked %zu times; at most "
      "%zu online, "
      "%zu events, %zu blocks; judged %zu messages, %zu whole, %zu peers; %zu quiet times, %zu maps; digest "
      "%016llx\n",
      options.devices, static_cast<unsigned long long>(options.seed),
      static_cast<unsigned long long>(world.steps()), t.lines, t.boxed_lines,
      static_cast<double>(t.bytes) / 1e6, t.frames, t.full_maps, t.keep_alives, t.updates, t.cuts,
      t.silent_cuts, t.stalls, t.overlaps, t.rotations, t.logouts, t.naps, t.storms, t.restarts, t.orders,
      t.refusals, t.timeouts, t.blocked, t.most_online, t.most_events, t.most_blocks, world.judged().frames,
      world.judged().whole, world.judged().peers, t.quiet_checks, t.compared,
      static_cast<unsigned long long>(world.digest()));
}

}  // namespace ts2021::test

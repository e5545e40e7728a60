// SPDX-License-Identifier: BSD-3-Clause
// What connections leave in the handshake cache of their thread, and what they take from it.
#include "ts2021/noise/handshake_cache.h"

#include "sim/pair.h"
#include "support/catch.h"

using namespace ts2021;
using test::Buffer;
using test::Pair;

namespace {

struct Thread {
  test::SeededEntropy entropy{11};
  noise::HandshakeCache cache;
  explicit Thread(noise::HandshakeCacheLimits limits = {}) : cache(entropy, limits) {}
};

// One whole connection of the machine that all tests share.
void visit(Thread& thread, ClientMode mode = ClientMode::noise) {
  test::PairOptions options;
  options.mode = mode;
  options.handshakes = &thread.cache;
  Pair pair(options);
  pair.run();
  REQUIRE(pair.ready_seen);
  REQUIRE(pair.peers.size() == 1);
  REQUIRE(pair.peers[0].peer == test::keys().machine.open);
  const auto stream = pair.request("/echo", "hello");
  pair.run();
  REQUIRE(pair.bodies[stream].find("hello") != std::string::npos);
}

}  // namespace

TEST_CASE("HSK-10 the machine of a connection is kept once its first record has opened, not before") {
  Thread thread;
  test::PairOptions options;
  options.handshakes = &thread.cache;
  Pair pair(options);
  while (pair.peers.empty()) REQUIRE(pair.step());
  REQUIRE(thread.cache.machine_count() == 0);
  pair.run();
  REQUIRE(pair.ready_seen);
  REQUIRE(thread.cache.machine_count() == 1);
  visit(thread);
  visit(thread);
  REQUIRE(thread.cache.machine_count() == 1);
}

TEST_CASE("HSK-10 a replayed flight leaves nothing in the cache") {
  Buffer flight;
  {
    Pair recorded;
    recorded.run();
    REQUIRE(recorded.ready_seen);
    flight = recorded.recorded_to_server;
  }
  Thread thread;
  test::PairOptions options;
  options.handshakes = &thread.cache;
  Pair pair(options);
  (void)pair.server().receive(flight, pair.clock.now);
  while (auto event = pair.server().next_event()) pair.serve(*event);
  REQUIRE(pair.peers.size() == 1);
  REQUIRE(pair.server_closed);
  REQUIRE(pair.server_closed->code == Errc::bad_tag);
  REQUIRE(thread.cache.machine_count() == 0);
}

TEST_CASE("HSK-11 connections spend keys made ahead, and do without") {
  Thread thread({.machines = 8, .ephemerals = 2});
  while (thread.cache.wants_ephemeral()) thread.cache.make_ephemeral();
  for (int i = 0; i < 4; ++i) {
    visit(thread);
    REQUIRE(thread.cache.wants_ephemeral());
  }
  visit(thread, ClientMode::noise_websocket);
  REQUIRE(thread.cache.machine_count() == 1);
}

// SPDX-License-Identifier: BSD-3-Clause
// The service between real connections and a real coordinator, without sockets: our client role registers and
// streams its map.
#include "ts2021/service/control_service.h"

#include "sim/service_world.h"
#include "support/catch.h"

using namespace ts2021;
using test::NodeOn;
using test::Pair;
using test::World;

TEST_CASE("two nodes register, stream their maps and see each other") {
  World world;
  NodeOn one(world.connect(), 21, "good-key", "one");
  world.run();
  REQUIRE(one.news == std::vector<std::string>{"registered"});
  REQUIRE(one.maps.size() == 1);
  REQUIRE(one.maps[0].node);
  REQUIRE(one.maps[0].node->name == "one.ts2021.test.");
  REQUIRE(one.maps[0].peers.empty());

  Pair& second = world.connect(115);
  second.client_config.machine = nullptr;
  test::SeededEntropy entropy(33);
  const MachineKeyPair other = MachineKeyPair::generate(entropy);
  second.client_config.machine = &other;
  NodeOn two(second, 22, "good-key", "two", false);
  world.run();
  REQUIRE(two.maps.size() >= 1);
  REQUIRE(two.maps[0].peers.size() == 1);
  REQUIRE(two.maps[0].peers[0].name == "one.ts2021.test.");
  REQUIRE(two.maps[0].peers[0].online == true);
  bool seen = false;
  for (const auto& map : one.maps)
    for (const auto& peer : map.peers_changed) seen |= peer.name == "two.ts2021.test.";
  REQUIRE(seen);
}

TEST_CASE("a node with a wrong auth key is refused and no node exists") {
  World world;
  NodeOn node(world.connect(), 21, "bad-key", "one");
  world.run();
  REQUIRE(node.news == std::vector<std::string>{"register 200 invalid auth key", "ended peer_refused"});
  REQUIRE(world.coordinator.nodes().empty());
}

TEST_CASE("an unproven or closed connection leaves nothing behind") {
  World world;
  Pair& pair = world.connect();
  world.run();
  REQUIRE(pair.ready_seen);
  pair.server().receive_end(world.clock.now);
  world.run();
  REQUIRE(pair.server_closed);
  REQUIRE_FALSE(world.service.next_input());
}

TEST_CASE("bodies that are no message are 400, rows 72 and 76: too long 413, TS2019 paths 404 inside Noise") {
  World world;
  Pair& pair = world.connect();
  world.run();
  const auto ask = [&](std::string_view method, std::string_view path, std::string body) {
    const auto stream = pair.client().request({method, path, {}}, share(body));
    REQUIRE(stream);
    world.run();
    return pair.statuses[*stream];
  };
  for (const char* path : {"/machine/register", "/machine/map"}) {
    for (const char* body :
         {"", "{", "[]", "null", "\"x\"", "{\"Version\":\"x\"}", "{\"NodeKey\":\"mkey:00\"}"})
      REQUIRE(ask("POST", path, body) == 400);
    REQUIRE(ask("POST", path, std::string((1 << 20) + 1, ' ')) == 413);
    REQUIRE(ask("PUT", path, "{}") == 405);
    REQUIRE(ask("POST", path, "{}") == 400);  // no version, no key
  }
  REQUIRE(ask("POST", "/machine/" + std::string(64, '0'), "x") == 404);
  REQUIRE(ask("POST", "/machine/" + std::string(64, '0') + "/map", "x") == 404);
  REQUIRE(ask("GET", "/machine/nothing", "") == 404);
  REQUIRE(ask("GET", "/health", "") == 200);
  REQUIRE(ask("POST", "/health", "echo me") == 200);
  for (const auto& [stream, body] : pair.bodies) REQUIRE(body.find("echo me") == std::string::npos);
}

TEST_CASE(
    "row 75: a map request with a key of another machine is 404, the Noise key decides; row 74: ts-lb "
    "decides nothing") {
  World world;
  NodeOn one(world.connect(), 21, "good-key", "one");
  world.run();
  Pair& second = world.connect();
  test::SeededEntropy entropy(34);
  const MachineKeyPair other = MachineKeyPair::generate(entropy);
  second.client_config.machine = &other;
  world.run();
  const std::string key = NodeOn::make(21, "", "", true).node_key.text();
  const Header forged[] = {{"ts-lb", key}};
  const auto stream = second.client().request(
      {"POST", "/machine/map", forged}, share(R"({"Version":138,"Stream":true,"NodeKey":")" + key + "\"}"));
  REQUIRE(stream);
  world.run();
  REQUIRE(second.statuses[*stream] == 404);
}

TEST_CASE("draining a connection ends its map stream in good order") {
  World world;
  NodeOn one(world.connect(), 21, "good-key", "one");
  world.run();
  world.service.drain(static_cast<SessionId>(1), world.clock.now);
  world.run();
  REQUIRE(one.news.back() == "ended end_of_stream");
  REQUIRE(world.pairs[0]->server_closed);
}

TEST_CASE("what one connection can have waiting at a slow coordinator is bounded by its window") {
  World world;
  Pair& pair = world.connect();
  while (pair.step()) {
  }
  const std::string key = NodeOn::make(21, "", "", true).node_key.text();
  const std::string body = R"({"Version":138,"NodeKey":")" + key + "\"}" + std::string(300 << 10, ' ');
  for (int i = 0; i < 20; ++i) {  // one after the other: together, most would be refused at once
    REQUIRE(pair.client().request({"POST", "/machine/register", {}}, share(body)));
    while (pair.step()) {
    }
  }
  std::size_t waiting = 0;
  while (auto input = world.service.next_input()) {
    waiting += std::holds_alternative<coord_input::Register>(*input);
    world.coordinator.handle(*input, world.clock.now);
  }
  REQUIRE(waiting >= 1);
  REQUIRE(waiting * body.size() <= pair.server_config.limits.max_bodies);
  world.run();
  for (int i = 0; i < 5; ++i) {  // answered: the window is open again
    const auto stream = pair.client().request({"POST", "/machine/register", {}}, share(body));
    REQUIRE(stream);
    world.run();
    REQUIRE(pair.statuses[*stream] == 200);
  }
}

TEST_CASE("a cancelled request gives its window back") {
  World world;
  Pair& pair = world.connect();
  world.run();
  const std::string key = NodeOn::make(21, "", "", true).node_key.text();
  const std::string body = R"({"Version":138,"NodeKey":")" + key + "\"}" + std::string(900 << 10, ' ');
  for (int i = 0; i < 8; ++i) {  // without the coordinator: nothing is answered
    const auto stream = pair.client().request({"POST", "/machine/register", {}}, share(body));
    REQUIRE(stream);
    while (pair.step()) {
    }
    pair.client().cancel(*stream);
    while (pair.step()) {
    }
  }
  std::size_t registers = 0, cancelled = 0;
  while (auto input = world.service.next_input()) {
    registers += std::holds_alternative<coord_input::Register>(*input);
    cancelled += std::holds_alternative<coord_input::Cancelled>(*input);
  }
  REQUIRE(registers == 8);
  REQUIRE(cancelled == 8);
}

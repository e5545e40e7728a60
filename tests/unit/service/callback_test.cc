// SPDX-License-Identifier: BSD-3-Clause
// Pings and calls of nodes: ordered by the owner, told in maps, answered on whatever connection.
#include "sim/site.h"
#include "support/catch.h"
#include "ts2021/msg/map_frame.h"

using namespace ts2021;
using test::Asker;
using test::Member;
using test::World;

namespace {

// A node that streams its map and keeps what it is told to do.
struct Streamer {
  World& world;
  Member member;
  StreamId poll;
  std::string told;  // plain map text

  Streamer(World& w, std::uint64_t seed, std::string name, int version = 138)
      : world(w), member(w, seed, std::move(name)) {
    poll =
        member.site.start("POST", "/machine/map",
                          R"({"Version":)" + std::to_string(version) +
                              R"(,"Stream":true,"KeepAlive":true,"NodeKey":")" + member.node.text() + "\"}");
  }
  // The ping request of the newest message that has one.
  PingRequest ping() {
    const std::string stream = member.site.answers[poll].body;
    MapFrameReader reader(Compression::none);
    PingRequest found;
    std::string_view rest = stream;
    while (rest.size() >= 4) {
      const std::size_t size = load_u32le(as_bytes(rest));
      const auto message = decode_copy<MapResponse>(as_bytes(rest.substr(4, size)));
      REQUIRE(message);
      if (message->ping_request) found = *message->ping_request;
      rest.remove_prefix(4 + size);
    }
    return found;
  }
  [[nodiscard]] NodeId id() const { return NodeId{member.id}; }
};

std::string path_of(const PingRequest& ping) {
  REQUIRE(ping.url_is_noise);
  REQUIRE(ping.url.starts_with("https://unused/"));
  return ping.url.substr(std::string("https://unused").size());
}

struct Scene {
  World world;
  std::uint64_t last = 0;
  Scene() : world({}, coordination()) {}
  static CoordinatorConfig coordination() {
    CoordinatorConfig config = World::coordinator_config("good-key");
    config.rules.login_url = "http://control.example.com";
    return config;
  }
  CommandId order(CoordOrder order) {
    const CommandId id{++last};
    world.coordinator.handle(CoordCommand{id, std::move(order)}, world.clock.now);
    world.run();
    return id;
  }
  [[nodiscard]] int status(CommandId id) const {  // 0: not done
    const auto* over = done(id);
    return over ? over->status : 0;
  }
  [[nodiscard]] const coord_event::CommandDone* done(CommandId id) const {
    const auto at = world.done.find(id);
    return at == world.done.end() ? nullptr : &at->second;
  }
};

}  // namespace

TEST_CASE("API-130, API-131: a call is told to its node, whose answer is the command's") {
  Scene scene;
  Streamer one(scene.world, 1, "one"), two(scene.world, 2, "two");
  const std::string request = "GET /echo HTTP/1.1\r\nHost: c2n\r\n\r\n";
  const CommandId call = scene.order(coord_command::CallNode{one.id(), request});
  const PingRequest ping = one.ping();
  REQUIRE(ping.types == "c2n");
  REQUIRE(as_text(ping.payload.bytes) == request);
  REQUIRE(two.ping().url.empty());
  REQUIRE_FALSE(scene.done(call));

  // Another machine, even with the token, and another token: 404, and the call goes on.
  REQUIRE(two.member.site.ask("POST", path_of(ping), "HTTP/1.1 200 OK\r\n\r\n").status == 404);
  REQUIRE(one.member.site.ask("POST", "/machine/c2n/0123", "x").status == 404);
  Asker stranger(scene.world, scene.world.connect(0, ClientMode::http1));
  REQUIRE(stranger.ask("POST", "/ping/" + ping.url.substr(ping.url.rfind('/') + 1), "{\"Type\":\"c2n\"}")
              .status == 404);
  REQUIRE_FALSE(scene.done(call));

  Asker second(scene.world,
               Member::connect(scene.world, one.member.machine));  // not the connection of the map
  REQUIRE(second.ask("POST", path_of(ping), "HTTP/1.1 200 OK\r\n\r\nhello").status == 204);
  REQUIRE(scene.done(call));
  REQUIRE(scene.done(call)->status == 200);
  REQUIRE(scene.done(call)->body == "HTTP/1.1 200 OK\r\n\r\nhello");
  REQUIRE(second.ask("POST", path_of(ping), "again").status == 404);

  const CommandId next = scene.order(coord_command::CallNode{one.id(), request});
  REQUIRE(one.ping().url != ping.url);  // API-130: a URL that comes twice is ignored
  scene.world.clock.advance(std::chrono::seconds{66});
  scene.world.run();
  REQUIRE(scene.done(next)->status == 504);
  REQUIRE(scene.status(scene.order(coord_command::CallNode{NodeId{999}, request})) == 404);
}

TEST_CASE(
    "API-133: a ping of several kinds is done with an answer to each, or with those that came in time") {
  Scene scene;
  Streamer one(scene.world, 1, "one");
  const auto target = *IpAddress::parse("100.64.0.7");
  const CommandId all = scene.order(coord_command::Ping{one.id(), target, "disco,TSMP"});
  const PingRequest ping = one.ping();
  REQUIRE(ping.types == "disco,TSMP");
  REQUIRE(ping.ip == target);
  REQUIRE(one.member.site.ask("POST", path_of(ping), R"({"Type":"disco","LatencySeconds":0.5,"Junk":1})")
              .status == 204);
  REQUIRE_FALSE(scene.done(all));
  REQUIRE(one.member.site.ask("POST", path_of(ping), "{\"Type\":\"TSMP\",\n\"Err\":\"none\"}").status == 204);
  REQUIRE(scene.done(all)->body ==
          "{\"Type\":\"disco\",\"LatencySeconds\":0.5}\n{\"Type\":\"TSMP\",\"Err\":\"none\"}\n");

  const CommandId some = scene.order(coord_command::Ping{one.id(), target, "disco,ICMP"});
  REQUIRE(one.member.site.ask("POST", path_of(one.ping()), R"({"Type":"ICMP"})").status == 204);
  scene.world.clock.advance(std::chrono::seconds{15});
  scene.world.run();
  REQUIRE(scene.done(some)->status == 200);
  REQUIRE(scene.done(some)->body == "{\"Type\":\"ICMP\"}\n");

  const CommandId alive = scene.order(coord_command::Ping{one.id(), {}, ""});
  REQUIRE(one.ping().types.empty());
  REQUIRE(one.member.site.ask("HEAD", path_of(one.ping())).status == 204);
  REQUIRE(scene.done(alive)->status == 200);
  for (const char* types : {"x", "disco,", ",", "disco, TSMP", "c2n"})
    REQUIRE(scene.status(scene.order(coord_command::Ping{one.id(), target, types})) == 400);
  REQUIRE(scene.status(scene.order(coord_command::Ping{one.id(), {}, "disco"})) == 400);
  REQUIRE(scene.status(scene.order(coord_command::Ping{one.id(), target, ""})) == 400);
}

TEST_CASE(
    "API-132: a node that can not answer over Noise gets a URL of the outer site, where the token counts") {
  Scene scene;
  Streamer old(scene.world, 1, "old", 32);
  const CommandId order =
      scene.order(coord_command::Ping{old.id(), *IpAddress::parse("100.64.0.7"), "disco"});
  const PingRequest ping = old.ping();
  REQUIRE(ping.url.starts_with("http://control.example.com/ping/"));
  REQUIRE_FALSE(ping.url_is_noise);
  const std::string path = ping.url.substr(std::string("http://control.example.com").size());
  REQUIRE(old.member.site.ask("POST", "/machine" + path, R"({"Type":"disco"})").status == 404);
  Asker outside(scene.world, scene.world.connect(0, ClientMode::http1));
  REQUIRE(outside.ask("POST", "/ping/unknown", R"({"Type":"disco"})").status == 404);
  REQUIRE(outside.ask("POST", path, R"({"Type":"disco"})").status == 204);
  REQUIRE(scene.done(order)->body == "{\"Type\":\"disco\"}\n");
  REQUIRE(scene.status(scene.order(coord_command::CallNode{old.id(), "x"})) == 501);
}

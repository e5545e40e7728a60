// SPDX-License-Identifier: BSD-3-Clause
// Our node against servers that answer badly.
#include "ts2021/client/node_client.h"

#include "sim/pair.h"
#include "support/catch.h"
#include "ts2021/msg/codec.h"

using namespace ts2021;
using namespace std::chrono_literals;
using test::Buffer;
using test::Pair;

namespace {

constexpr Route routes[] = {
    {RouteId{0}, Site::noise, Method::post, "/machine/register", 1 << 20},
    {RouteId{1}, Site::noise, Method::post, "/machine/map", 1 << 20},
};

struct Answer {
  int status = 200;
  std::string body;
  bool stream = false;  // leave it open
  std::vector<Header> more{};
};

// A node, and a server that says what the test wants.
struct Scene {
  Pair pair;
  NodeClient node;
  Answer to_register{200,
                     R"({"User":{"ID":1},"Login":{"ID":1,"LoginName":"a@b.c"},"MachineAuthorized":true})"};
  Answer to_map;
  std::string news;

  static NodeClientConfig config() {
    test::SeededEntropy entropy(3);
    NodeClientConfig out;
    out.node_key = NodePrivate::generate(entropy).public_key();
    out.zstd = false;
    return out;
  }
  Scene() : node(config()) {
    pair.server_config.routes = routes;
    pair.on_server = [this](const ServerEvent& event) {
      const auto* request = std::get_if<Request>(&event);
      if (!request) return pair.serve(event);
      const StreamId stream = request->stream;
      const Answer& answer = request->route == RouteId{0} ? to_register : to_map;
      pair.server().release(stream);
      if (!answer.stream) {
        REQUIRE(pair.server().respond(stream, {answer.status, "", answer.more}, share(answer.body)));
        return;
      }
      const SharedBytes piece = share(answer.body);
      REQUIRE(pair.server().start_stream(stream, {}));
      REQUIRE(pair.server().push(stream, std::span(&piece, 1), pair.clock.now));
    };
    pair.on_client = [this](const ClientEvent& event) {
      node.handle(pair.client(), event, pair.clock.now);
      note();
      if (const auto* gone = std::get_if<event::Closed>(&event)) pair.client_closed = gone->why;
    };
  }
  void note() {
    while (auto event = node.next_event()) {
      if (std::holds_alternative<node_event::Registered>(*event)) news += "registered ";
      if (std::holds_alternative<node_event::MapUpdate>(*event)) news += "map ";
      if (const auto* refused = std::get_if<node_event::Refused>(&*event))
        news += "refused " + std::to_string(refused->status) + " ";
      if (const auto* ended = std::get_if<node_event::Ended>(&*event))
        news += "ended " + std::string(name(ended->why.code)) + " ";
    }
  }
  std::string run() {
    pair.run();
    return news;
  }
};

std::string framed(std::string_view json) {
  std::string out(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<char>(json.size() >> (8 * i));
  return out.append(json);
}

}  // namespace

TEST_CASE("row 78: a redirect of a machine request is an error and is not followed") {
  for (const int status : {301, 302, 307, 308}) {
    Scene scene;
    scene.to_register = {status, "", false, {{"location", "https://elsewhere.example/machine/register"}}};
    REQUIRE(scene.run() == "refused " + std::to_string(status) + " ended peer_refused ");
    Scene later;
    later.to_map = {status, "", false, {{"location", "/machine/map"}}};
    REQUIRE(later.run() == "registered refused " + std::to_string(status) + " ended peer_refused ");
  }
}

TEST_CASE("row 79: a map message above the cap ends the poll before it costs memory") {
  for (const std::string_view size :
       {std::string_view("\xff\xff\xff\xff", 4), std::string_view("\x01\0\0\x04", 4)}) {
    Scene scene;
    scene.to_map = {200, std::string(size) + "{}", true};
    REQUIRE(scene.run() == "registered ended limit_exceeded ");
  }
}

TEST_CASE("row 80: empty, cut and unreadable map messages end the poll") {
  const auto outcome = [](std::string body) {
    Scene scene;
    scene.to_map = {200, std::move(body)};
    return scene.run();
  };
  REQUIRE(outcome(std::string(4, '\0')) == "registered ended bad_framing ");
  REQUIRE(outcome(framed(R"({"KeepAlive":true} )").substr(0, 12)) == "registered ended truncated ");
  REQUIRE(outcome(framed("{\"Node\":")) == "registered ended bad_json ");
  REQUIRE(outcome(framed(R"({"KeepAlive":true} )")) == "registered map ended end_of_stream ");
  REQUIRE(outcome("") == "registered ended end_of_stream ");
}

TEST_CASE("row 81: two minutes without a message cancel the poll; each message starts them anew") {
  Scene scene;
  scene.to_map = {200, framed(R"({"KeepAlive":true} )"), true};
  REQUIRE(scene.run() == "registered map ");
  scene.pair.clock.advance(119s);
  scene.node.handle_timeout(scene.pair.client(), scene.pair.clock.now);
  scene.note();
  REQUIRE(scene.run() == "registered map ");
  scene.pair.clock.advance(2s);
  REQUIRE(*scene.node.next_timeout() <= scene.pair.clock.now.mono);
  scene.node.handle_timeout(scene.pair.client(), scene.pair.clock.now);
  scene.note();
  REQUIRE(scene.run() == "registered map ended timeout ");
  REQUIRE(scene.pair.gone.size() == 1);  // the server saw the cancel
  REQUIRE_FALSE(scene.pair.client_closed);
}

TEST_CASE("rows 10 and 11: what is no register answer ends the attempt") {
  for (const std::string_view body : {"<html>", "", "{\"Login\":"}) {
    Scene scene;
    scene.to_register.body = body;
    REQUIRE(scene.run() == "ended bad_json ");
  }
  REQUIRE(
      read_server_key(200, as_bytes(R"({"publicKey":"mkey:)" + std::string(64, '0') + "\"}")).error().code ==
      Errc::missing_field);
}

TEST_CASE("row 12: a server key of low order fails before anything is sent") {
  Scene scene;
  std::array<std::uint8_t, 32> one{1};
  scene.pair.client_config.server = ControlNoisePublic::from_bytes(one);
  REQUIRE(scene.run() == "ended low_order_point ");
  REQUIRE(scene.pair.recorded_to_server.empty());
}

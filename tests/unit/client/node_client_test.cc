// SPDX-License-Identifier: BSD-3-Clause
// Our node against servers that answer badly.
#include "ts2021/client/node_client.h"

#include "sim/pair.h"
#include "support/catch.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_request.h"

using namespace ts2021;
using namespace std::chrono_literals;
using test::Buffer;
using test::Pair;

namespace {

constexpr Route routes[] = {
    {RouteId{0}, Site::noise, Method::post, "/machine/register", 1 << 20},
    {RouteId{1}, Site::noise, Method::post, "/machine/map", 1 << 20},
    {RouteId{2}, Site::noise, Method::post, "/machine/other", 1 << 20},
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
  bool hold_register = false, huge_answer = false;
  MapRequest last_map;
  std::optional<std::chrono::seconds> retry_after;
  std::string news;

  static NodeClientConfig config() {
    test::SeededEntropy entropy(3);
    NodeClientConfig out;
    out.node_key = NodePrivate::generate(entropy).public_key();
    out.zstd = false;
    return out;
  }
  explicit Scene(NodeClientConfig config = Scene::config()) : node(std::move(config)) {
    pair.server_config.routes = routes;
    pair.on_server = [this](const ServerEvent& event) {
      const auto* request = std::get_if<Request>(&event);
      if (!request) return pair.serve(event);
      const StreamId stream = request->stream;
      Answer answer = request->route == RouteId{0} ? to_register : to_map;
      if (request->route == RouteId{1}) {
        last_map = *decode<MapRequest>(request->body);
        if (last_map.omit_peers) answer = {};
      } else if (request->route == RouteId{2}) {
        answer = {200, huge_answer ? std::string((1 << 20) + 1, 'x') : test::string(request->body)};
      }
      pair.server().release(stream);
      if (request->route == RouteId{0} && hold_register) return;
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
        news += "refused " + std::to_string(refused->status) + " ", retry_after = refused->retry_after;
      if (const auto* answered = std::get_if<node_event::Answered>(&*event))
        news += answered->failed
                    ? "failed " + std::string(name(answered->failed->code)) + " "
                    : "answered " + std::to_string(answered->status) + " " + answered->body + " ";
      if (const auto* ended = std::get_if<node_event::Ended>(&*event))
        news += "ended " + std::string(name(ended->why.code)) + " ";
    }
  }
  std::string run() {
    pair.run();
    return news;
  }
  std::string time_passes() {
    node.handle_timeout(pair.client(), pair.clock.now);
    note();
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

TEST_CASE("a register request that nobody answers is given up; one that is not wanted is not sent") {
  Scene scene;
  scene.hold_register = true;
  REQUIRE(scene.run().empty());
  scene.pair.clock.advance(59s);
  REQUIRE(scene.time_passes().empty());
  scene.pair.clock.advance(2s);
  REQUIRE(scene.time_passes() == "ended timeout ");
  REQUIRE(scene.run() == "ended timeout ");
  REQUIRE(scene.pair.gone.size() == 1);

  NodeClientConfig known = Scene::config();
  known.registers = false;
  Scene later(std::move(known));
  later.to_map = {200, framed(R"({"KeepAlive":true} )"), true};
  REQUIRE(later.run() == "map ");
}

TEST_CASE("a refusal tells when to come again, if that is in seconds") {
  const auto wait = [](std::string_view value) {
    Scene scene;
    scene.to_register = {429, "slow down\n", false, {{"retry-after", value}}};
    REQUIRE(scene.run() == "refused 429 ended peer_refused ");
    return scene.retry_after;
  };
  REQUIRE(wait("7") == 7s);
  REQUIRE_FALSE(wait("Wed, 21 Oct 2026 07:28:00 GMT"));
  REQUIRE_FALSE(wait("-1"));
  REQUIRE_FALSE(wait("99999999999"));
}

TEST_CASE("beside the poll: an update, any request, one without an answer") {
  Scene scene;
  scene.to_map = {200, framed(R"({"KeepAlive":true} )"), true};
  REQUIRE(scene.run() == "registered map ");
  const IpPort endpoint{IpAddress::v4(0x01020304), 5};
  REQUIRE(scene.node.update(scene.pair.client(), {endpoint}, 3, scene.pair.clock.now));
  REQUIRE(scene.run() == "registered map answered 200  ");
  REQUIRE(scene.last_map.omit_peers);
  REQUIRE_FALSE(scene.last_map.stream);
  REQUIRE(scene.last_map.endpoints == std::vector{endpoint});
  REQUIRE(scene.last_map.hostinfo->net_info->preferred_derp == 3);

  scene.news.clear();
  REQUIRE(scene.node.request(scene.pair.client(), {"POST", "/machine/other", {}}, share("hello"),
                             scene.pair.clock.now));
  REQUIRE(scene.run() == "answered 200 hello ");
  scene.news.clear();
  scene.huge_answer = true;
  REQUIRE(scene.node.request(scene.pair.client(), {"POST", "/machine/other", {}}, share("x"),
                             scene.pair.clock.now));
  REQUIRE(scene.run() == "failed limit_exceeded ");
  scene.news.clear();
  scene.hold_register = true;
  REQUIRE(scene.node.request(scene.pair.client(), {"POST", "/machine/register", {}}, share("{}"),
                             scene.pair.clock.now));
  scene.run();
  scene.pair.clock.advance(61s);
  REQUIRE(scene.time_passes() == "failed timeout ");
  REQUIRE_FALSE(scene.pair.client_closed);  // the poll goes on
}

TEST_CASE(
    "row 80: of messages that came together one at a time is unpacked, and those before a bad one count") {
  Scene scene;
  std::string body;
  for (int i = 0; i < 5; ++i) body += framed(R"({"KeepAlive":true} )");
  scene.to_map = {200, body + framed("{\"Node\":") + framed(R"({"KeepAlive":true} )")};
  REQUIRE(scene.run() == "registered map map map map map ended bad_json ");
}

// SPDX-License-Identifier: BSD-3-Clause
// A node by TS2019: boxes there and back, and servers that answer badly.
#include "ts2021/client/envelope.h"

#include "sim/pair.h"
#include "support/catch.h"
#include "ts2021/client/node_client.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_request.h"

using namespace ts2021;
using test::Buffer;
using test::Pair;

namespace {

const ControlBoxPair& server_key() {
  static const ControlBoxPair made = [] {
    test::SeededEntropy entropy(41);
    return ControlBoxPair::generate(entropy);
  }();
  return made;
}

Envelope envelope() { return *Envelope::boxed(test::keys().machine, server_key().open); }

// The server's end of the same boxes.
struct Boxes {
  NaclBox box = *NaclBox::between(server_key().secret, test::keys().machine.open);
  test::SeededEntropy entropy{42};

  std::string open(Bytes whole) const {
    Buffer copy(whole.begin(), whole.end());
    const auto plain = box.open(copy);
    REQUIRE(plain);
    return std::string(as_text(*plain));
  }
  std::string seal(std::string_view plain) {
    Buffer whole(NaclBox::overhead);
    whole.insert(whole.end(), plain.begin(), plain.end());
    REQUIRE(box.seal(whole, entropy));
    return test::string(whole);
  }
};

std::string framed(std::string_view message) {
  std::string out(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<char>(message.size() >> (8 * i));
  return out.append(message);
}

constexpr Route routes[] = {{RouteId{0}, Site::outer, Method::post, "/machine/{}", 1 << 20},
                            {RouteId{1}, Site::outer, Method::post, "/machine/{}/map", 1 << 20}};
constexpr std::string_view welcome = R"({"Login":{"ID":1,"LoginName":"a@b.c"},"MachineAuthorized":true})";
constexpr std::string_view keep_alive = R"({"KeepAlive":true} )";

// A node, and a server that answers as `register_answer` and `map_answer` say: whole bodies.
struct Scene {
  Boxes boxes;
  Pair pair{{.mode = ClientMode::http1}};
  test::SeededEntropy entropy{43};
  NodeClient node;
  std::function<std::string(const std::string&request)> register_answer, map_answer;
  int status = 200;
  RegisterRequest registered;
  MapRequest asked;
  std::string news;

  static NodeClientConfig config() {
    test::SeededEntropy random(3);
    NodeClientConfig out;
    out.capability = static_cast<Capability>(26);
    out.node_key = NodePrivate::generate(random).public_key();
    out.zstd = false;
    return out;
  }
  Scene() : node(config(), envelope(), entropy) {
    register_answer = [this](const std::string&) { return boxes.seal(welcome); };
    map_answer = [this](const std::string&) { return framed(boxes.seal(keep_alive)); };
    pair.server_config.routes = routes;
    pair.on_server = [this](const ServerEvent& event) {
      const auto* request = std::get_if<Request>(&event);
      if (!request) return pair.serve(event);
      REQUIRE(request->args[0] == test::keys().machine.open.bare_text());
      const std::string body = test::string(request->body), plain = boxes.open(request->body);
      const StreamId stream = request->stream;
      const bool map = request->route == RouteId{1};
      if (map)
        asked = *decode_copy<MapRequest>(as_bytes(plain));
      else
        registered = *decode_copy<RegisterRequest>(as_bytes(plain));
      pair.server().release(stream);
      REQUIRE(pair.server().respond(stream, {status, "", {}},
                                    share(map ? map_answer(body) : register_answer(body))));
    };
    pair.on_client = [this](const ClientEvent& event) {
      node.handle(pair.client(), event, pair.clock.now);
      while (auto one = node.next_event()) {
        if (std::holds_alternative<node_event::Registered>(*one)) news += "registered ";
        if (const auto* map = std::get_if<node_event::MapUpdate>(&*one))
          news += "map " + std::string(map->json) + std::to_string(map->packed) + " ";
        if (const auto* refused = std::get_if<node_event::Refused>(&*one))
          news += "refused " + std::to_string(refused->status) + " " + refused->text + " ";
        if (const auto* ended = std::get_if<node_event::Ended>(&*one))
          news += "ended " + std::string(name(ended->why.code)) + " " + std::to_string(ended->why.origin);
      }
    };
  }
  std::string run() {
    pair.run();
    return news;
  }
};

}  // namespace

TEST_CASE("BOX-5: a node registers and reads its map by TS2019") {
  Scene scene;
  REQUIRE(scene.run() == "registered map " + std::string(keep_alive) +
                             std::to_string(keep_alive.size() + NaclBox::overhead) +
                             " ended end_of_stream 1014");
  REQUIRE(scene.registered.version == static_cast<Capability>(1));
  REQUIRE(scene.asked.version == static_cast<Capability>(26));
  REQUIRE(scene.asked.stream);
}

TEST_CASE("row 86: an answer without a box, cut, or of another key ends the attempt") {
  test::SeededEntropy entropy(44);
  const auto stranger = ControlBoxPair::generate(entropy);
  const auto other = *NaclBox::between(stranger.secret, test::keys().machine.open);
  for (const std::string& body : {std::string(welcome), std::string(), std::string(39, 'x'), [&] {
                                    Buffer whole(NaclBox::overhead + 2, '{');
                                    REQUIRE(other.seal(whole, entropy));
                                    return test::string(whole);
                                  }()}) {
    Scene scene;
    scene.register_answer = [&](const std::string&) { return body; };
    REQUIRE(scene.run().starts_with("ended bad_box 60"));
    Scene later;
    later.map_answer = [&](const std::string&) { return framed(body.empty() ? "x" : body); };
    REQUIRE(later.run().starts_with("registered ended bad_box 60"));
  }
}

TEST_CASE("row 87, BOX-4: our own box that comes back is refused, also an earlier one") {
  Scene scene;
  scene.register_answer = [](const std::string& request) { return request; };
  REQUIRE(scene.run() == "ended bad_box 1021");
  Scene later;
  later.map_answer = [](const std::string& request) { return framed(request); };
  REQUIRE(later.run() == "registered ended bad_box 1021");
  Scene earlier;
  std::string first;
  earlier.register_answer = [&](const std::string& request) {
    first = request;
    return earlier.boxes.seal(welcome);
  };
  earlier.map_answer = [&](const std::string&) { return framed(first); };
  REQUIRE(earlier.run() == "registered ended bad_box 1021");
}

TEST_CASE("rows 79 and 80 by TS2019: sizes, and content that is no JSON") {
  const auto outcome = [](const auto& make) {
    Scene scene;
    scene.map_answer = [&](const std::string&) { return make(scene.boxes); };
    return scene.run();
  };
  REQUIRE(outcome([](Boxes&) { return std::string("\xff\xff\xff\xff", 4); }) ==
          "registered ended limit_exceeded 824");
  REQUIRE(outcome([](Boxes&) { return std::string(4, '\0'); }) == "registered ended bad_framing 823");
  REQUIRE(outcome([](Boxes& b) { return framed(b.seal("{")); }).starts_with("registered ended bad_json"));
  REQUIRE(outcome([](Boxes& b) { return framed(b.seal(keep_alive)).substr(0, 30); }) ==
          "registered ended truncated 826");
}

TEST_CASE("errors are clear text") {
  Scene scene;
  scene.status = 400;
  scene.register_answer = [](const std::string&) { return "Cannot decode message\n"; };
  REQUIRE(scene.run() == "refused 400 Cannot decode message ended peer_refused 1010");
}

TEST_CASE("what makes no boxes, and paths that TS2019 does not have") {
  REQUIRE(Envelope::boxed(test::keys().machine, ControlBoxPublic()).error().code == Errc::low_order_key);
  REQUIRE(Envelope::boxed(MachineKeyPair(), server_key().open).error().code == Errc::misuse);
  const Envelope boxed = envelope();
  const std::string base = "/machine/" + test::keys().machine.open.bare_text();
  REQUIRE(*boxed.path("/machine/register") == base);
  REQUIRE(*boxed.path("/machine/map") == base + "/map");
  REQUIRE(*boxed.path("/machine/set-dns") == base + "/set-dns");
  REQUIRE(boxed.path("/machine/whoami").error().origin == 1020);
  REQUIRE(*Envelope().path("/machine/whoami") == "/machine/whoami");
}

TEST_CASE("of our own boxes the latest 64 are known, whatever their number") {
  Envelope boxed = envelope();
  test::SeededEntropy entropy(45);
  std::vector<Buffer> sealed;
  for (int i = 0; i < 200; ++i) {
    const SharedBytes one = *boxed.seal(as_bytes("{}"), entropy);
    sealed.emplace_back(one->begin(), one->end());
  }
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Buffer copy = sealed[i];
    REQUIRE(boxed.open(copy).has_value() == (i < 136));
  }
}

// SPDX-License-Identifier: BSD-3-Clause
// From tracers to lines: whole tailnets captured, and answers in every cut.
#include "ts2021/capture/recorder.h"

#include <memory>
#include <string>
#include <vector>

#include "sim/service_world.h"
#include "support/catch.h"
#include "ts2021/capture/conversation.h"
#include "ts2021/legacy/nacl_box.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/register.h"

using namespace ts2021;

namespace {

// Everything that the connections of a world say, as lines.
struct Recording {
  struct One final : Tracer {
    One(Recording& r, std::uint64_t s) : recording(r), session(s) {}
    void on(const TraceEvent& event, Now) noexcept override {
      CaptureLine line = capture_line(event);
      line.session = session;
      recording.assembler.take(std::move(line), recording.lines);
    }
    Recording& recording;
    std::uint64_t session;
  };
  std::vector<std::unique_ptr<One>> tracers;
  CaptureAssembler assembler;
  std::vector<CaptureLine> lines;

  void attach(test::World& world) {
    world.make_tracer = [this] {
      tracers.push_back(std::make_unique<One>(*this, tracers.size() + 1));
      return tracers.back().get();
    };
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const CaptureLine& line : lines) {
      std::string name = std::string(text(line.layer)) + " " + line.event + (line.boxed ? " boxed" : "");
      if (out.empty() || out.back() != name) out.push_back(std::move(name));
    }
    return out;
  }
  [[nodiscard]] const CaptureLine& first(CaptureLayer layer, std::string_view event) const {
    for (const CaptureLine& line : lines)
      if (line.is(layer, event)) return line;
    throw std::runtime_error("no such line");
  }
  [[nodiscard]] std::string file() const {
    std::string all;
    for (const CaptureLine& line : lines) all += text(line);
    return all;
  }
};

CaptureLine line_of(CaptureLayer layer, std::string_view event, std::string_view body = {}) {
  CaptureLine line;
  line.session = 1;
  line.layer = layer;
  line.way = trace::Way::out;
  line.event = event;
  line.stream = 1;
  line.body.assign(body.begin(), body.end());
  return line;
}

}  // namespace

TEST_CASE("a node's life: handshake, early payload, registration, map messages out of their frames") {
  for (const bool zstd : {false, true}) {
    test::World world;
    Recording recording;
    recording.attach(world);
    test::NodeOn node(world.connect(), 5, "good-key", "seen", zstd);
    world.run();
    REQUIRE(node.maps.size() == 1);
    REQUIRE(recording.names() == std::vector<std::string>{"tcp open", "noise handshake", "early payload",
                                                          "api request", "api answer", "api request",
                                                          "api answer", "map message"});
    REQUIRE(recording.first(CaptureLayer::noise, "handshake").machine == test::keys().machine.open.text());
    const auto request = decode_copy<RegisterRequest>(recording.first(CaptureLayer::api, "request").body);
    REQUIRE(request);
    REQUIRE(request->auth->auth_key == "good-key");
    const auto answer = decode_copy<RegisterResponse>(recording.first(CaptureLayer::api, "answer").body);
    REQUIRE(answer);
    REQUIRE(answer->machine_authorized);
    const CaptureLine& message = recording.first(CaptureLayer::map, "message");
    const auto map = decode_copy<MapResponse>(message.body);
    REQUIRE(map);
    REQUIRE(map->node->key == node.maps[0].node->key);
    REQUIRE((message.size < message.body.size()) == zstd);

    // Read back, it is two exchanges on one connection.
    const auto read = Conversation::read(recording.file());
    REQUIRE(read);
    REQUIRE(read->sessions.size() == 1);
    REQUIRE(read->exchanges.size() == 2);
    REQUIRE(read->exchanges[0].answered < read->exchanges[1].asked);
    REQUIRE(read->exchanges[0].ended);
    REQUIRE(read->exchanges[1].messages.size() == 1);
    REQUIRE_FALSE(read->exchanges[1].ended);
  }
}

TEST_CASE("TS2019: what is in a box is told beside the box, and read back as one exchange") {
  test::SeededEntropy entropy(40);
  const auto server = ControlBoxPair::generate(entropy);
  ServiceConfig config;
  config.box = &server;
  config.key.box = server.open;
  test::World world(config);
  Recording recording;
  recording.attach(world);
  const auto machine = MachineKeyPair::generate(entropy);
  const auto node = NodePrivate::generate(entropy).public_key();
  const NaclBox box = *NaclBox::between(machine.secret, server.open);
  const auto send = [&](std::string_view suffix, std::string_view json) {
    std::vector<std::uint8_t> whole(NaclBox::overhead + json.size());
    std::copy(json.begin(), json.end(), whole.begin() + NaclBox::overhead);
    REQUIRE(box.seal(whole, entropy));
    test::Pair& pair = world.connect(0, ClientMode::http1);
    world.run();
    const std::string path = "/machine/" + machine.open.bare_text() + std::string(suffix);
    REQUIRE(pair.client().request({"POST", path, {}}, share(std::move(whole))));
    world.run();
  };
  send("", R"({"Version":1,"NodeKey":")" + node.text() +
               R"(","Auth":{"AuthKey":"good-key"},"Hostinfo":{"Hostname":"old","OS":"linux"}})");
  send("/map", R"({"Version":26,"KeepAlive":true,"Stream":true,"NodeKey":")" + node.text() + "\"}");
  REQUIRE(recording.names() == std::vector<std::string>{"tcp open", "http request", "api request boxed",
                                                        "api answer boxed", "http answer", "tcp open",
                                                        "http request", "api request boxed", "http answer",
                                                        "map message boxed"});
  const auto read = Conversation::read(recording.file());
  REQUIRE(read);
  REQUIRE(read->exchanges.size() == 2);
  REQUIRE(read->exchanges[0].boxed);
  REQUIRE(read->exchanges[0].request.machine == machine.open.text());
  REQUIRE(decode_copy<RegisterRequest>(read->exchanges[0].request.body)->node_key == node);
  REQUIRE(decode_copy<RegisterResponse>(read->exchanges[0].answer->body)->machine_authorized);
  REQUIRE(read->exchanges[1].messages.size() == 1);
  REQUIRE(decode_copy<MapResponse>(read->exchanges[1].messages[0].body)->node->key == node);
}

TEST_CASE("an answer is one line, however it came; what never ends is told when its connection does") {
  CaptureAssembler assembler;
  std::vector<CaptureLine> out;
  const auto take = [&](std::string_view event, std::string_view body = {},
                        CaptureLayer layer = CaptureLayer::api) {
    assembler.take(line_of(layer, event, body), out);
  };
  take("request", "{}");
  take("answer");
  take("data", "one ");
  take("data", "two");
  REQUIRE(out.size() == 1);
  take("end");
  REQUIRE(out.size() == 2);
  REQUIRE(test::string(out[1].body) == "one two");

  out.clear();
  take("request", "{}");
  take("answer");
  take("data", "half");
  take("close", {}, CaptureLayer::tcp);
  REQUIRE(out.size() == 3);
  REQUIRE(test::string(out[1].body) == "half");

  out.clear();
  take("request", "{}");
  take("answer");
  take("data", "half");
  take("gone", {}, CaptureLayer::h2);
  REQUIRE(out.size() == 3);
  REQUIRE(out[1].event == "answer");
  REQUIRE(out[2].event == "gone");
}

TEST_CASE("what is too long is told in parts") {
  CaptureAssembler assembler;
  std::vector<CaptureLine> out;
  assembler.take(line_of(CaptureLayer::http, "request"), out);
  assembler.take(line_of(CaptureLayer::http, "answer"), out);
  const std::string part(CaptureAssembler::max_held / 2 + 1, 'x');
  for (int i = 0; i < 3; ++i) assembler.take(line_of(CaptureLayer::http, "data", part), out);
  assembler.take(line_of(CaptureLayer::http, "end"), out);
  REQUIRE(out.size() == 4);
  REQUIRE(out[1].body.size() == 2 * part.size());
  REQUIRE(out[2].event == "data");
  REQUIRE(out[3].event == "end");
}

TEST_CASE("map frames in any cut; what is no frame is told as it came") {
  const auto framed = map_message(as_bytes("{\"KeepAlive\":true}"), Compression::none, nullptr);
  REQUIRE(framed);
  std::string bytes;
  for (const SharedBytes& piece : **framed) bytes += as_text(*piece);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    CaptureAssembler assembler;
    std::vector<CaptureLine> out;
    CaptureLine request = line_of(CaptureLayer::api, "request", "{\"Version\":138}");
    request.path = "/machine/map";
    CaptureLine answer = line_of(CaptureLayer::api, "answer");
    answer.status = 200;
    assembler.take(request, out);
    assembler.take(answer, out);
    REQUIRE(out.size() == 2);
    assembler.take(line_of(CaptureLayer::api, "data", std::string_view(bytes).substr(0, cut)), out);
    REQUIRE(out.size() == 2);
    assembler.take(line_of(CaptureLayer::api, "data", std::string_view(bytes).substr(cut)), out);
    REQUIRE(out.size() == 3);
    REQUIRE(out[2].is(CaptureLayer::map, "message"));
    REQUIRE(out[2].size == bytes.size());
    assembler.take(line_of(CaptureLayer::api, "data", std::string_view("\0\0\0\0junk", 8)), out);
    REQUIRE(out.size() == 4);
    REQUIRE(out[3].event == "data");
    REQUIRE(out[3].why == text(Errc::bad_framing));
  }
}

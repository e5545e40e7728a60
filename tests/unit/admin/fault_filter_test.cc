// SPDX-License-Identifier: BSD-3-Clause
// The faults of the API and of map messages, between a session and the coordinator.
#include "ts2021/admin/fault_filter.h"
#include "support/catch.h"
#include "support/support.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/map_response.h"
#include "ts2021/msg/register.h"

using namespace ts2021;
using namespace ts2021::admin;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr SessionId session{7};
MachinePublic machine() { return *MachinePublic::parse("mkey:" + std::string(64, '3')); }
NodePublic node_key(char digit = '4') { return *NodePublic::parse("nodekey:" + std::string(64, digit)); }

std::string script(std::string_view layer, std::string_view fault, std::string_view more = {}) {
  return "[{\"layer\":\"" + std::string(layer) + "\",\"fault\":\"" + std::string(fault) + "\"" +
         std::string(more) + "}]";
}

// A session that is open, and what has gone to either side.
class Desk {
 public:
  explicit Desk(std::string_view rules, Compression compression = Compression::zstd)
      : compression_(compression) {
    set(rules);
    filter.handle(coord_input::Opened{session, machine(), {}}, clock.now);
    CHECK(inputs() == "opened ");
  }
  void set(std::string_view rules) {
    auto parsed = FaultBook::parse(rules);
    INFO(parsed.error.message);
    REQUIRE(parsed);
    filter.set(std::move(parsed.book), clock.now);
    filter.handle_timeout(clock.now);
  }
  void wait(milliseconds time) {
    clock.advance(time);
    if (const auto due = filter.next_timeout(); due && *due <= clock.now.mono)
      filter.handle_timeout(clock.now);
  }

  void ask_register(std::uint64_t call) {
    auto request = std::make_shared<RegisterRequest>();
    request->node_key = node_key();
    filter.handle(coord_input::Register{session, CallId{call}, request}, clock.now);
  }
  void ask_map(std::uint64_t call) {
    auto request = std::make_shared<MapRequest>();
    request->node_key = node_key();
    if (compression_ == Compression::zstd) request->compress = "zstd";
    filter.handle(coord_input::Map{session, CallId{call}, request}, clock.now);
  }
  void send(std::uint64_t call, std::string_view json) {
    auto frame = map_message(as_bytes(json), compression_, &compressor_);
    REQUIRE(frame);
    filter.handle(coord_event::MapFrame{session, CallId{call}, *frame}, clock.now);
  }

  std::string inputs() {
    std::string out;
    while (const auto input = filter.next_input())
      std::visit(
          [&](const auto& i) {
            using Input = std::decay_t<decltype(i)>;
            if constexpr (std::is_same_v<Input, coord_input::Opened>) out += "opened ";
            if constexpr (std::is_same_v<Input, coord_input::Gone>) out += "gone ";
            if constexpr (std::is_same_v<Input, coord_input::Register>) out += "register ";
            if constexpr (std::is_same_v<Input, coord_input::Map>) out += "map ";
            if constexpr (std::is_same_v<Input, coord_input::Ask>) out += "ask ";
            if constexpr (std::is_same_v<Input, coord_input::Cancelled>) out += "cancelled ";
            if constexpr (std::is_same_v<Input, coord_input::Taken>) out += "taken ";
          },
          *input);
    return out;
  }
  // Messages as a client of ours reads them off the stream, or why it can't.
  std::string events() {
    std::string out;
    while (const auto event = filter.next_event()) {
      if (const auto* frame = std::get_if<coord_event::MapFrame>(&*event)) out += read(frame->pieces);
      if (const auto* refused = std::get_if<coord_event::Refused>(&*event))
        out += std::to_string(refused->status) +
               (refused->retry_after ? "/" + std::to_string(refused->retry_after->count()) : "") + " ";
      if (std::holds_alternative<coord_event::Drop>(*event)) out += "dropped ";
      if (std::holds_alternative<coord_event::MapEnd>(*event)) out += "end ";
    }
    return out;
  }

  FaultFilter filter;
  test::Clock clock;

 private:
  std::string read(const SharedPieces& pieces) {
    MapFrameReader reader(compression_);
    std::string out;
    for (const SharedBytes& piece : *pieces) {
      for (Bytes rest = *piece; !rest.empty();) {
        const auto used = reader.feed(rest);
        if (!used) return out + std::string(name(used.error().code)) + " ";
        rest = rest.subspan(*used);
        if (reader.ready()) out += std::string(as_text(reader.message())) + " ";
      }
    }
    return reader.finish() ? out : out + "unfinished ";
  }

  const Compression compression_;
  ZstdCompressor compressor_;
};

}  // namespace

TEST_CASE("no rules: all passes") {
  Desk d("[]");
  d.ask_register(1);
  d.ask_map(2);
  d.send(2, R"({"Domain":"x"})");
  d.filter.handle(coord_event::MapEnd{session, CallId{2}}, d.clock.now);
  d.filter.handle(coord_input::Gone{session}, d.clock.now);
  CHECK(d.inputs() == "register map gone ");
  CHECK(d.events() == R"({"Domain":"x"} end )");
  CHECK_FALSE(d.filter.next_timeout());
}

TEST_CASE("api delay: a request comes later, whole") {
  Desk d(script("api", "delay", R"(,"delay":"2s","on":"register")"));
  d.ask_register(1);
  d.ask_map(2);
  CHECK(d.inputs() == "map ");
  CHECK(d.filter.next_timeout() == d.clock.now.mono + seconds{2});
  d.wait(milliseconds{1999});
  CHECK(d.inputs().empty());
  d.wait(milliseconds{1});
  CHECK(d.inputs() == "register ");
  d.ask_register(3);  // used up
  CHECK(d.inputs() == "register ");
}

TEST_CASE("api delay: a message comes later, and what follows does not overtake it") {
  Desk d(script("api", "delay", R"(,"delay":"2s","on":"frame")"));
  d.ask_map(2);
  d.send(2, R"({"Domain":"x"})");
  d.filter.handle(coord_event::MapEnd{session, CallId{2}}, d.clock.now);
  CHECK(d.events().empty());
  d.wait(seconds{2});
  CHECK(d.events() == R"({"Domain":"x"} end )");
}

TEST_CASE("api hold: until the rules are others; a client that goes takes its request with it") {
  Desk d(script("api", "hold", R"(,"count":0)"));
  d.ask_map(1);
  d.ask_map(2);
  d.ask_map(3);
  d.wait(std::chrono::hours{1});
  CHECK(d.inputs().empty());
  d.filter.handle(coord_input::Cancelled{session, CallId{2}}, d.clock.now);
  CHECK(d.inputs().empty());  // nobody has heard of the request
  d.set("[]");
  CHECK(d.inputs() == "map map ");
  d.filter.handle(coord_input::Cancelled{session, CallId{1}}, d.clock.now);
  CHECK(d.inputs() == "cancelled ");

  Desk gone(script("api", "hold"));
  gone.ask_map(1);
  gone.filter.handle(coord_input::Gone{session}, gone.clock.now);
  gone.set("[]");
  CHECK(gone.inputs() == "gone ");
}

TEST_CASE("api drop: a request ends its connection, a message never comes") {
  Desk request(script("api", "drop"));
  request.ask_map(1);
  CHECK(request.inputs().empty());
  CHECK(request.events() == "dropped ");
  Desk message(script("api", "drop", R"(,"on":"frame","nth":2)"));
  message.ask_map(1);
  for (const char* json : {R"({"Domain":"1"})", R"({"Domain":"2"})", R"({"Domain":"3"})"})
    message.send(1, json);
  CHECK(message.inputs() == "map taken ");  // so that the next one comes
  CHECK(message.events() == R"({"Domain":"1"} {"Domain":"3"} )");
}

TEST_CASE("api status: 429 with Retry-After, 500; other requests too") {
  Desk d(script("api", "status", R"(,"on":"register","status":429,"retryAfter":"5s")"));
  d.ask_register(1);
  d.ask_register(2);
  CHECK(d.inputs() == "register ");
  CHECK(d.events() == "429/5 ");
  Desk other(script("api", "status", R"(,"on":"other")"));
  other.filter.handle(coord_input::Ask{session, CallId{1}, std::nullopt, question::FindRelays{}},
                      other.clock.now);
  CHECK(other.inputs() == "ask ");  // of the outer site
  other.filter.handle(coord_input::Ask{session, CallId{2}, machine(), question::FindRelays{}},
                      other.clock.now);
  CHECK(other.inputs().empty());
  CHECK(other.events() == "500 ");
}

TEST_CASE("api stale: the message before, once more") {
  Desk d(script("api", "stale", R"(,"nth":2)"));
  d.ask_map(1);
  for (const char* json :
       {R"({"Domain":"1"})", R"({"Domain":"2"})", R"({"KeepAlive":true} )", R"({"Domain":"3"})"})
    d.send(1, json);
  CHECK(d.events() == R"({"Domain":"1"} {"Domain":"2"} {"KeepAlive":true}  {"Domain":"3"} {"Domain":"2"} )");
}

TEST_CASE("api contradiction: removes a peer and changes it") {
  for (const Compression compression : {Compression::none, Compression::zstd}) {
    Desk d(script("api", "contradiction"), compression);
    d.ask_map(1);
    d.send(1, R"({"Domain":"1"})");  // no peer yet: not counted
    CHECK(d.filter.book()->tally(0).seen == 0);
    MapResponse map;
    map.peers.resize(2);
    map.peers[0].id = NodeId{11};
    map.peers[0].stable_id = "n11";
    map.peers[0].key = node_key('5');
    map.peers[1].id = NodeId{12};
    map.peers[1].stable_id = "n12";
    map.peers[1].key = node_key('6');
    (void)d.events();
    d.send(1, encoded(map));
    const std::string told = d.events();
    CHECK(told.find(R"("PeersRemoved":[11])") != std::string::npos);
    CHECK(told.find(R"("PeersChanged":[{"ID":11,)") != std::string::npos);
    CHECK(told.find("KeepAlive") == std::string::npos);
    // Behind a message without peers it is an earlier one's.
    d.set(script("api", "contradiction"));
    d.send(1, R"({"Domain":"3"})");
    CHECK(d.events().find(R"("PeersRemoved":[11])") != std::string::npos);
  }
}

TEST_CASE(
    "api stall: nothing comes any more, not even keep-alives, for some time or until the rules are others") {
  Desk d(script("api", "stall", R"(,"nth":2,"delay":"90s")"));
  d.ask_map(1);
  d.send(1, R"({"Domain":"1"})");
  d.send(1, R"({"Domain":"2"})");
  d.send(1, R"({"KeepAlive":true} )");
  CHECK(d.events() == R"({"Domain":"1"} )");
  d.wait(seconds{89});
  CHECK(d.events().empty());
  d.wait(seconds{1});
  CHECK(d.events() == R"({"Domain":"2"} {"KeepAlive":true}  )");

  Desk ever(script("api", "stall"));
  ever.ask_map(1);
  ever.send(1, R"({"Domain":"1"})");
  ever.wait(std::chrono::hours{1});
  CHECK(ever.events().empty());
  ever.set("[]");
  CHECK(ever.events() == R"({"Domain":"1"} )");
}

TEST_CASE("map: lengths that lie, what is no zstd, half a JSON") {
  const auto met = [](std::string_view fault, Compression compression, std::string_view more = {}) {
    Desk d(script("map", fault, more), compression);
    d.ask_map(1);
    d.send(1, R"({"KeepAlive":true} )");  // not counted
    CHECK(d.events() == R"({"KeepAlive":true}  )");
    d.send(1, R"({"Domain":"one"})");
    std::string told = d.events();
    d.send(1, R"({"Domain":"two"})");  // used up
    CHECK(d.events() == R"({"Domain":"two"} )");
    return told;
  };
  for (const Compression compression : {Compression::none, Compression::zstd}) {
    CHECK(met("length-long", compression) == "unfinished ");
    CHECK(met("length-zero", compression) == "bad_framing ");
    const std::string half = met("truncated-json", compression);
    CHECK(half == R"({"Domain )");
    CHECK_FALSE(decode_copy<MapResponse>(as_bytes(half)));
  }
  CHECK(met("length-short", Compression::zstd) == "bad_compression ");
  CHECK(met("length-short", Compression::none, R"(,"bytes":3)").starts_with(R"({"Domain":"on )"));
  CHECK(met("bad-zstd", Compression::zstd) == "bad_compression ");
}

TEST_CASE("a rule of one node: its requests, its messages, and its machine below") {
  const std::string of_node = ",\"node\":\"" + node_key().text() + "\",\"on\":\"register\",\"status\":500";
  Desk d(script("api", "status", of_node));
  auto stranger = std::make_shared<RegisterRequest>();
  stranger->node_key = node_key('9');
  d.filter.handle(coord_input::Register{session, CallId{1}, stranger}, d.clock.now);
  CHECK(d.inputs() == "register ");
  d.ask_register(2);
  CHECK(d.events() == "500 ");
  // Who has been seen is known to rules that come later.
  d.set(script("noise", "corrupt", ",\"node\":\"" + node_key().text() + "\""));
  CHECK(d.filter.book()->ask({FaultEvent::record, machine()}));
}

// SPDX-License-Identifier: BSD-3-Clause
// Time on both connections: every deadline fires, none fires early.
#include "sim/pair.h"
#include "support/catch.h"

using namespace ts2021;
using namespace std::chrono_literals;
using test::Buffer;
using test::Pair;

namespace {

// Lets time pass in steps until the server closes; returns how long that took.
std::chrono::milliseconds until_closed(Pair& pair, std::chrono::milliseconds at_most = 10min) {
  std::chrono::milliseconds passed{0};
  while (!pair.server_closed && passed < at_most) {
    pair.clock.advance(100ms);
    passed += 100ms;
    pair.server().handle_timeout(pair.clock.now);
    while (auto event = pair.server().next_event()) pair.serve(*event);
  }
  return passed;
}

void feed(Pair& pair, std::string_view text) {
  Buffer in = test::buffer(text);
  (void)pair.server().receive(in, pair.clock.now);
  while (auto event = pair.server().next_event()) pair.serve(*event);
}

}  // namespace

TEST_CASE("row 23: a slow head is cut off after ten seconds, however busy it looks") {
  Pair pair;
  pair.server();
  std::chrono::milliseconds passed{0};
  const std::string head = "GET /key HTTP/1.1\r\nHost: " + std::string(1000, 'h');
  for (std::size_t i = 0; i < head.size() && !pair.server_closed; ++i) {
    feed(pair, head.substr(i, 1));
    pair.clock.advance(1s);
    passed += 1s;
    pair.server().handle_timeout(pair.clock.now);
    while (auto event = pair.server().next_event()) pair.serve(*event);
  }
  REQUIRE(pair.server_closed);
  REQUIRE(pair.server_closed->code == Errc::timeout);
  REQUIRE(passed <= 12s);
}

TEST_CASE("a silent connection ends after the head deadline, an idle one after the keep-alive deadline") {
  Pair silent;
  silent.server();
  REQUIRE(until_closed(silent) <= 10'100ms);
  Pair idle;
  feed(idle, "GET /key HTTP/1.1\r\nHost: h\r\n\r\n");
  std::array<Bytes, 16> pieces;
  const std::size_t count = idle.server().output(pieces, idle.clock.now);
  REQUIRE(count == 1);
  idle.server().output_sent(pieces[0].size(), idle.clock.now);
  (void)idle.server().output(pieces, idle.clock.now);
  const auto passed = until_closed(idle);
  REQUIRE(passed > 60s);
  REQUIRE(passed < 90s);
}

TEST_CASE("a request that waits for its answer on the outer site has no deadline") {
  Pair pair;
  Buffer in = test::buffer("GET /key HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(pair.server().receive(in, pair.clock.now));
  const auto event = pair.server().next_event();
  REQUIRE(event);
  REQUIRE(std::holds_alternative<Request>(*event));
  REQUIRE(pair.server().wants_input());  // so that the end of the peer is noticed
  REQUIRE(until_closed(pair, 5min) == 5min);
  REQUIRE_FALSE(pair.server_closed);
}

TEST_CASE("row 65: without an HTTP/2 preface the connection ends after ten seconds") {
  Pair pair;
  // Only the upgrade travels; the client's preface stays on the wire.
  pair.client();
  std::array<Bytes, 16> pieces;
  REQUIRE(pair.client().output(pieces, pair.clock.now) == 1);
  feed(pair, test::string(pieces[0]));
  REQUIRE(pair.peers.size() == 1);
  const std::size_t count = pair.server().output(pieces, pair.clock.now);
  REQUIRE(count == 1);
  pair.server().output_sent(pieces[0].size(), pair.clock.now);
  const auto passed = until_closed(pair);
  REQUIRE(passed >= 9s);
  REQUIRE(passed <= 11s);
}

TEST_CASE("row 60: a peer that never reads is cut off after the write deadline") {
  Pair pair;
  pair.run();
  pair.client_reads = false;
  pair.stream_messages.assign(100, std::string(60'000, 'z'));
  pair.request("/stream", "");
  pair.run();
  for (int i = 0; i < 3; ++i) {  // the driver keeps trying, the socket takes nothing
    std::array<Bytes, 16> pieces;
    (void)pair.server().output(pieces, pair.clock.now);
  }
  const auto passed = until_closed(pair);
  REQUIRE(pair.server_closed->code == Errc::timeout);
  REQUIRE(passed >= 29s);
  REQUIRE(passed <= 31s);
}

TEST_CASE(
    "row 71: a map stream whose window stays shut is dropped after two minutes, the connection lives on") {
  Pair pair;
  bool release = true;
  pair.on_client = [&](const ClientEvent& event) {
    if (!release && std::holds_alternative<event::ResponseData>(event)) return;  // keeps the window shut
    pair.note(event);
  };
  pair.run();
  release = false;
  pair.stream_messages.assign(200, std::string(60'000, 'z'));
  pair.request("/stream", "");
  pair.run();
  REQUIRE(pair.gone.empty());
  for (int i = 0; i < 130; ++i) {
    pair.clock.advance(1s);
    pair.server().handle_timeout(pair.clock.now);
    pair.run();
  }
  REQUIRE(pair.gone.size() == 1);
  REQUIRE(pair.gone[0].code == Errc::timeout);
  REQUIRE_FALSE(pair.server_closed);
  release = true;
  pair.request("/echo", "alive");
  pair.run();
  REQUIRE(pair.transcript.find("200 alive") != std::string::npos);
}

TEST_CASE("a split record and an unfinished body have thirty seconds") {
  Pair pair;
  pair.run();
  Buffer part = test::unhex("040100");
  (void)pair.server().receive(part, pair.clock.now);
  const auto passed = until_closed(pair);
  REQUIRE(pair.server_closed->code == Errc::timeout);
  REQUIRE(passed >= 29s);
  REQUIRE(passed <= 31s);
}

TEST_CASE("an open connection with nothing to do has no deadline") {
  Pair pair;
  pair.run();
  pair.request("/hold", "");
  pair.run();
  REQUIRE_FALSE(pair.server().next_timeout());
  REQUIRE_FALSE(pair.client().next_timeout());
}

// SPDX-License-Identifier: BSD-3-Clause
// Both connections joined in memory: the whole way in, requests, streams, back-pressure, both doors.
#include "sim/pair.h"
#include "support/catch.h"

using namespace ts2021;
using test::Pair;
using test::PairOptions;

namespace {

// A conversation that uses every part once; its transcript does not depend on how the wire cuts.
std::string converse(PairOptions options) {
  Pair pair(std::move(options));
  pair.stream_messages = {"one", std::string(10'000, 'x'), "three"};
  pair.run();
  if (!pair.ready_seen) return "not ready";
  pair.request("/echo", "hello");
  pair.run();
  pair.request("/stream", "go");
  pair.run();
  pair.request("/nowhere", "");
  pair.run();
  REQUIRE(pair.peers.size() == 1);
  REQUIRE(pair.peers[0].peer == test::keys().machine.open);
  return pair.transcript;
}

std::string expected(const PairOptions& options) {
  const bool early = options.mode == ClientMode::noise && options.version >= 49;
  return "ready " + (early ? options.early_payload : std::string()) + "\n200 hello\n200 <one><" +
         std::string(10'000, 'x') + "><three>\n404 not found\n\n";
}

}  // namespace

TEST_CASE("a client gets in, asks, streams; EAR-2: the early payload goes to versions from 49") {
  for (const int version : {0, 1, 28, 48, 49, 138, 65535}) {
    INFO("version " << version);
    PairOptions options;
    options.version = static_cast<std::uint16_t>(version);
    REQUIRE(converse(options) == expected(options));
  }
}

TEST_CASE("the same over WebSocket, without early payload (EAR-3)") {
  PairOptions options;
  options.mode = ClientMode::noise_websocket;
  REQUIRE(converse(options) == expected(options));
}

TEST_CASE("tiny sockets change nothing") {
  for (const ClientMode mode : {ClientMode::noise, ClientMode::noise_websocket})
    test::tiny_socket([&](std::size_t k) {
      PairOptions options;
      options.mode = mode;
      options.chunk = k;
      return converse(options);
    });
}

TEST_CASE("101, message 2, early payload and SETTINGS leave in one piece") {
  Pair pair;
  std::array<Bytes, 16> pieces;
  REQUIRE(pair.client().output(pieces, pair.clock.now) == 1);
  test::Buffer copy(pieces[0].begin(), pieces[0].end());
  (void)pair.server().receive(copy, pair.clock.now);
  const auto event = pair.server().next_event();
  REQUIRE(event);
  REQUIRE(std::holds_alternative<event::PeerKnown>(*event));
  REQUIRE_FALSE(pair.server().wants_input());
  REQUIRE(pair.server().accept(as_bytes("{}"), pair.clock.now));
  REQUIRE(pair.server().output(pieces, pair.clock.now) == 1);
  const std::string flight = test::string(pieces[0]);
  REQUIRE(flight.starts_with("HTTP/1.1 101 "));
  const std::size_t end = flight.find("\r\n\r\n") + 4;
  REQUIRE(flight.size() > end + 51 + 19 + 11 + 19 + 9);  // message 2, two records at least
  REQUIRE(flight[end] == 2);
  REQUIRE(flight[end + 51] == 4);
  REQUIRE(flight.size() < 1400);  // one segment
}

TEST_CASE("many requests at once are all answered") {
  Pair pair;
  pair.run();
  for (int i = 0; i < 150; ++i) pair.request("/echo", "n" + std::to_string(i));
  pair.run();
  REQUIRE(pair.requests.size() == 150);
  std::size_t answered = 0;
  for (const auto& [stream, body] : pair.bodies) answered += body.starts_with("n");
  REQUIRE(answered == 150);
}

TEST_CASE("a client that does not read costs bounded memory and stalls only itself") {
  Pair pair;
  pair.run();
  pair.stream_messages.assign(2000, std::string(60'000, 'z'));
  pair.client_reads = false;
  pair.request("/stream", "");
  pair.run();
  REQUIRE(pair.server_blocks.in_use() <= 17);
  REQUIRE(pair.streaming.front().sent < 100);
  pair.client_reads = true;
  pair.run(20'000'000);
  REQUIRE(pair.bodies.begin()->second.size() == 2000 * 60'002);
}

TEST_CASE("an idle connection holds no block") {
  Pair pair;
  pair.run();
  pair.request("/echo", "x");
  pair.run();
  REQUIRE(pair.server_blocks.in_use() == 0);
  REQUIRE(ServerConnection::own_size() < 1500);
}

TEST_CASE("drain answers what is open, then closes") {
  Pair pair;
  pair.run();
  pair.request("/hold", "");
  pair.run();
  pair.server().drain(pair.clock.now);
  pair.run();
  REQUIRE_FALSE(pair.server_closed);
  REQUIRE(pair.server().respond(StreamId{1}, {200, "", {}}, share("late")));
  pair.run();
  REQUIRE(pair.transcript.find("200 late") != std::string::npos);
  REQUIRE(pair.server_closed);
  REQUIRE(pair.server_closed->code == Errc::closed);
}

TEST_CASE("a cancelled request is told, its late answer is dropped") {
  Pair pair;
  pair.run();
  const StreamId stream = pair.request("/hold", "");
  pair.run();
  pair.client().cancel(stream);
  pair.run();
  REQUIRE(pair.gone.size() == 1);
  REQUIRE_FALSE(pair.server().respond(stream, {200, "", {}}, share("too late")));
  pair.request("/echo", "still here");
  pair.run();
  REQUIRE(pair.transcript.find("200 still here") != std::string::npos);
}

TEST_CASE("without blocks a connection waits or ends cleanly, and leaks nothing") {
  for (const ClientMode mode : {ClientMode::noise, ClientMode::noise_websocket})
    test::fail_every_request([&](std::size_t nth) {
      PairOptions options;
      options.mode = mode;
      options.chunk = 700;  // split records need blocks
      Pair pair(options);
      pair.stream_messages = {"one", std::string(10'000, 'x')};
      pair.server();
      pair.server_blocks.fail_request(nth);
      pair.run();
      bool failed = true;
      if (pair.ready_seen) {
        pair.request("/stream", std::string(3000, 'b'));
        pair.run();
        failed = pair.server_blocks.requests() >= nth;
      }
      pair.kill_server();
      REQUIRE(pair.server_blocks.in_use() == 0);
      return failed;
    });
}

TEST_CASE("H2-6: a frame that fits into one record is never split between two") {
  Pair pair;
  pair.run();
  const StreamId streams[] = {pair.request("/hold", ""), pair.request("/hold", "")};
  pair.run();
  for (const StreamId stream : streams) REQUIRE(pair.server().start_stream(stream, {}));
  pair.run();
  // Two messages in one output: the second does not fit behind the first.
  const SharedBytes message[] = {share(std::string(3000, 'm'))};
  for (const StreamId stream : streams) REQUIRE(pair.server().push(stream, message, pair.clock.now));
  std::array<Bytes, 16> pieces;
  REQUIRE(pair.server().output(pieces, pair.clock.now) == 1);
  Bytes out = pieces[0];
  std::vector<std::size_t> frames;
  while (!out.empty()) {
    REQUIRE(out[0] == 4);
    frames.push_back(std::size_t{load_u16be(out.subspan(1))} - 16);
    out = out.subspan(3 + frames.back() + 16);
  }
  REQUIRE(frames == std::vector<std::size_t>{3009, 3009});
}

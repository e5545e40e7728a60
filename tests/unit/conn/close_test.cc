// SPDX-License-Identifier: BSD-3-Clause
// How connections end: nothing that was answered is lost, and what is broken ends at once.
#include "sim/pair.h"
#include "support/catch.h"

using namespace ts2021;
using namespace std::chrono_literals;
using test::Buffer;
using test::Pair;
using test::PairOptions;

namespace {

// What the server has to send now, at most `limit` bytes of it.
std::string take(Pair& pair, std::size_t limit) {
  std::string out;
  std::array<Bytes, 16> pieces;
  const std::size_t count = pair.server().output(pieces, pair.clock.now);
  for (std::size_t i = 0; i < count && out.size() < limit; ++i)
    out += test::string(pieces[i].first(std::min(pieces[i].size(), limit - out.size())));
  pair.server().output_sent(out.size(), pair.clock.now);
  while (auto event = pair.server().next_event()) pair.serve(*event);
  return out;
}

void feed(Pair& pair, std::string_view text) {
  Buffer in = test::buffer(text);
  (void)pair.server().receive(in, pair.clock.now);
  while (auto event = pair.server().next_event()) pair.serve(*event);
}

}  // namespace

TEST_CASE("who has half-closed on the outer site still reads a long answer to its end, however slowly") {
  Pair pair;
  const std::string body(1 << 20, 'b');
  feed(pair, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                 body);
  pair.server().receive_end(pair.clock.now);
  std::string out = take(pair, 1000);
  REQUIRE_FALSE(pair.server().wants_input());  // or a driver would spin on the end
  pair.server().receive_end(pair.clock.now);
  for (int i = 0; i < 200 && !pair.server_closed; ++i) {
    out += take(pair, 50'000);
    pair.clock.advance(5s);
    pair.server().handle_timeout(pair.clock.now);
    while (auto event = pair.server().next_event()) pair.serve(*event);
  }
  REQUIRE(pair.server_closed);
  REQUIRE(out.size() > body.size());
  REQUIRE(out.ends_with(std::string(1000, 'b')));
}

TEST_CASE("a broken socket ends a connection at once, whatever it was doing") {
  Pair waiting;  // for an answer of the outer site
  Buffer in = test::buffer("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\nGET /key HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(waiting.server().receive(in, waiting.clock.now));
  REQUIRE(waiting.server().next_event());
  waiting.server().output_failed(waiting.clock.now);
  const auto end = waiting.server().next_event();
  REQUIRE(end);
  REQUIRE(std::holds_alternative<event::Closed>(*end));
  std::array<Bytes, 16> pieces;
  REQUIRE(waiting.server().output(pieces, waiting.clock.now) == 0);
  REQUIRE_FALSE(waiting.server().next_event());

  Pair open;
  open.run();
  open.request("/hold", "");
  open.run();
  open.server().output_failed(open.clock.now);
  open.client().output_failed(open.clock.now);
  open.run();
  REQUIRE(open.server_closed->code == Errc::end_of_stream);
  REQUIRE(open.client_closed->code == Errc::end_of_stream);
}

TEST_CASE("ENT-17: a WebSocket peer that says goodbye is answered so, and gets one when we go") {
  PairOptions options;
  options.mode = ClientMode::noise_websocket;
  Pair peer(options);
  peer.run();
  Buffer goodbye = test::unhex(
      "888200000000"
      "03e8");
  (void)peer.server().receive(goodbye, peer.clock.now);
  REQUIRE(take(peer, 1000) == test::string(test::unhex("880203e8")));
  (void)take(peer, 1000);
  REQUIRE(peer.server_closed);
  REQUIRE(peer.server_closed->code == Errc::end_of_stream);

  Pair us(options);
  us.run();
  us.server().drain(us.clock.now);
  std::string out;
  while (!us.server_closed) out += take(us, 1000);
  REQUIRE(out.ends_with(test::string(test::unhex("880203e8"))));
}

TEST_CASE("drain answers the open request of the outer site, but lets nobody in any more") {
  Pair pair;
  Buffer in = test::buffer("GET /key HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(pair.server().receive(in, pair.clock.now));
  const auto request = pair.server().next_event();
  REQUIRE(request);
  pair.server().drain(pair.clock.now);
  pair.serve(*request);
  std::string out = take(pair, 10'000);
  REQUIRE(out.ends_with("the key"));
  (void)take(pair, 10'000);
  REQUIRE(pair.server_closed);

  Pair upgrading;  // what was answered before it has not left yet, so its turn has not come
  upgrading.client();
  std::array<Bytes, 16> pieces;
  REQUIRE(upgrading.client().output(pieces, upgrading.clock.now) == 1);
  Buffer both = test::buffer("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n" + test::string(pieces[0]));
  REQUIRE(upgrading.server().receive(both, upgrading.clock.now));
  upgrading.server().drain(upgrading.clock.now);
  out.clear();
  for (int i = 0; i < 5 && !upgrading.server_closed; ++i) {
    out += take(upgrading, 10'000);
    REQUIRE(upgrading.peers.empty());
  }
  REQUIRE(upgrading.server_closed);
  REQUIRE(out.find("HTTP/1.1 404 ") == 0);
  REQUIRE(out.find("HTTP/1.1 503 ") != std::string::npos);
}

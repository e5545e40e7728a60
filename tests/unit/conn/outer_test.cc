// SPDX-License-Identifier: BSD-3-Clause
// The outer site of a server connection, and plain HTTP/1.1 of the client.
#include "sim/pair.h"
#include "support/catch.h"

using namespace ts2021;
using test::Pair;
using test::PairOptions;

namespace {

// Feeds text to a fresh server connection and gives back all it answers.
std::string answer(std::string_view input, std::optional<Error>* closed = nullptr) {
  Pair pair;
  test::Buffer in = test::buffer(input);
  (void)pair.server().receive(in, pair.clock.now);
  std::string out;
  for (int turn = 0; turn < 50; ++turn) {
    while (auto event = pair.server().next_event()) pair.serve(*event);
    std::array<Bytes, 16> pieces;
    const std::size_t count = pair.server().output(pieces, pair.clock.now);
    std::size_t sent = 0;
    for (std::size_t i = 0; i < count; ++i) {
      out += test::string(pieces[i]);
      sent += pieces[i].size();
    }
    pair.server().output_sent(sent, pair.clock.now);
  }
  if (closed) *closed = pair.server_closed;
  return out;
}

std::string status_of(const std::string& text) { return text.substr(0, text.find("\r\n")); }

}  // namespace

TEST_CASE("the client fetches the key over HTTP/1.1 and may ask again on the same connection") {
  PairOptions options;
  options.mode = ClientMode::http1;
  Pair pair(options);
  pair.run();
  REQUIRE(pair.client().request({"GET", "/key?v=138", {}}, nullptr));
  pair.run();
  REQUIRE(pair.client().request({"GET", "/key", {}}, nullptr));
  pair.run();
  REQUIRE(pair.transcript == "ready \n200 the key\n200 the key\n");
}

TEST_CASE(
    "row 8: other methods on /key are 405, unknown paths 404, Noise paths are unknown outside (row 76)") {
  REQUIRE(status_of(answer("POST /key HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")) ==
          "HTTP/1.1 405 Method Not Allowed");
  REQUIRE(status_of(answer("PUT /key HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")) ==
          "HTTP/1.1 405 Method Not Allowed");
  REQUIRE(status_of(answer("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")) == "HTTP/1.1 404 Not Found");
}

TEST_CASE("rows 14 to 17: refused upgrades answer 400 with the reference's texts") {
  const auto body = [](const std::string& text) { return text.substr(text.find("\r\n\r\n") + 4); };
  REQUIRE(body(answer("POST /ts2021 HTTP/1.1\r\nHost: h\r\n\r\n")) == "missing next protocol\n");
  REQUIRE(body(answer("POST /ts2021 HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n\r\n")) ==
          "unknown next protocol\n");
  REQUIRE(body(answer("POST /ts2021 HTTP/1.1\r\nHost: h\r\nUpgrade: tailscale-control-protocol\r\n\r\n")) ==
          "missing Tailscale handshake header\n");
  REQUIRE(body(answer("POST /ts2021 HTTP/1.1\r\nHost: h\r\nUpgrade: tailscale-control-protocol\r\n"
                      "X-Tailscale-Handshake: a_b\r\n\r\n")) == "invalid tailscale handshake header\n");
}

TEST_CASE("row 20: a handshake of a wrong size gets 101, the error record and the end") {
  std::optional<Error> closed;
  const std::string out = answer(
      "POST /ts2021 HTTP/1.1\r\nHost: h\r\nUpgrade: tailscale-control-protocol\r\n"
      "X-Tailscale-Handshake: AAEB\r\n\r\n",
      &closed);
  REQUIRE(out.starts_with("HTTP/1.1 101 "));
  const std::string record = out.substr(out.find("\r\n\r\n") + 4);
  REQUIRE(record == std::string("\x03\x00\x1f", 3) + "wrong handshake initiation size");
  REQUIRE(closed);
  REQUIRE(closed->code == Errc::bad_message_size);
}

TEST_CASE("rows 37 to 43: what does not decrypt is closed without a byte") {
  std::string header(136, 'A');  // 101 bytes of zeros but for the head
  header.replace(0, 8, "AIoBAGAA");
  header[135] = '=';
  std::optional<Error> closed;
  const std::string out = answer(
      "POST /ts2021 HTTP/1.1\r\nHost: h\r\nUpgrade: tailscale-control-protocol\r\n"
      "X-Tailscale-Handshake: " +
          header + "\r\n\r\n",
      &closed);
  REQUIRE(out.empty());
  REQUIRE(closed);
  REQUIRE(closed->code == Errc::low_order_point);
}

TEST_CASE("without Noise keys the upgrade answers 503") {
  Pair pair;
  pair.server_config.noise_keys = {};
  pair.run();
  REQUIRE(pair.client_closed);
  REQUIRE(pair.client_closed->code == Errc::bad_upgrade);
  REQUIRE(pair.client_closed->detail == 503);
}

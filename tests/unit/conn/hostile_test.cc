// SPDX-License-Identifier: BSD-3-Clause
// Bytes of strangers against both connections.
#include "sim/pair.h"
#include "support/catch.h"
#include "ts2021/entry/upgrade.h"
#include "ts2021/noise/handshake.h"
#include "ts2021/noise/record.h"

using namespace ts2021;
using test::Buffer;
using test::Chunks;
using test::Pair;
using test::PairOptions;

namespace {

// Everything that a client sent in one conversation. With the same entropy a fresh server understands it
// again.
Buffer recorded_flight(ClientMode mode) {
  PairOptions options;
  options.mode = mode;
  Pair pair(options);
  pair.run();
  pair.request("/echo", "hello");
  pair.request("/stream", "go");
  pair.run();
  return pair.recorded_to_server;
}

// Replays bytes to a fresh server; what it saw, and what ended it.
std::string replay(const Chunks& chunks) {
  Pair pair;
  pair.stream_messages = {"one"};
  for (const Buffer& chunk : chunks) {
    Buffer copy = chunk;
    (void)pair.server().receive(copy, pair.clock.now);
    while (auto event = pair.server().next_event()) pair.serve(*event);
    std::array<Bytes, 16> pieces;
    while (const std::size_t count = pair.server().output(pieces, pair.clock.now)) {
      std::size_t sent = 0;
      for (std::size_t i = 0; i < count; ++i) sent += pieces[i].size();
      pair.server().output_sent(sent, pair.clock.now);
      while (auto event = pair.server().next_event()) pair.serve(*event);
    }
    while (auto event = pair.server().next_event()) pair.serve(*event);
  }
  std::string seen;
  for (const auto& request : pair.requests) seen += request + "\n";
  if (pair.server_closed) seen += "closed " + std::string(name(pair.server_closed->code)) + "\n";
  return seen;
}

}  // namespace

TEST_CASE("a recorded flight means the same however it is cut") {
  for (const ClientMode mode : {ClientMode::noise, ClientMode::noise_websocket}) {
    const Buffer flight = recorded_flight(mode);
    REQUIRE(replay({flight}) == "/echo hello\n/stream go\n");
    test::cut_anywhere(flight, replay);
  }
}

TEST_CASE("rows 40 and 57: any byte changed inside Noise ends the connection before the request counts") {
  const Buffer flight = recorded_flight(ClientMode::noise);
  const std::string text = test::string(flight);
  const std::size_t records = text.find("\r\n\r\n") + 4;
  test::flip_every_byte(Bytes(flight).subspan(records),
                        [&](Buffer changed, std::size_t) {
                          Buffer whole(flight.begin(), flight.begin() + static_cast<std::ptrdiff_t>(records));
                          whole.insert(whole.end(), changed.begin(), changed.end());
                          return replay({whole}).find("/stream go") == std::string::npos;
                        },
                        {0x01});
  const std::size_t header = text.find("X-Tailscale-Handshake: ") + 23;
  test::flip_every_byte(Bytes(flight).subspan(header, 136),
                        [&](Buffer changed, std::size_t) {
                          Buffer whole = flight;
                          std::copy(changed.begin(), changed.end(),
                                    whole.begin() + static_cast<std::ptrdiff_t>(header));
                          return replay({whole}).find("/echo") == std::string::npos;
                        },
                        {0x01, 0x02});
}

TEST_CASE("row 22: bytes before message 2 go to the record reader, cannot decrypt and end the connection") {
  Buffer flight = recorded_flight(ClientMode::noise);
  const std::string text = test::string(flight);
  flight.resize(text.find("\r\n\r\n") + 4);
  for (const std::string_view extra :
       {std::string_view("\x04\x00\x20", 3), std::string_view("GET / HTTP/1.1\r\n")}) {
    Buffer input = flight;
    input.insert(input.end(), extra.begin(), extra.end());
    input.insert(input.end(), 64, 0x55);
    REQUIRE(replay({input}).starts_with("closed bad_"));
  }
}

TEST_CASE("row 44: a replayed initiation is answered, but proves nothing and raises no request") {
  const Buffer flight = recorded_flight(ClientMode::noise);
  Pair pair;
  pair.server_entropy = test::SeededEntropy(77);  // another ephemeral key: the recorded records do not fit
  Buffer copy = flight;
  (void)pair.server().receive(copy, pair.clock.now);
  while (auto event = pair.server().next_event()) pair.serve(*event);
  REQUIRE(pair.peers.size() == 1);
  REQUIRE(pair.requests.empty());
  REQUIRE(pair.server_closed);
  REQUIRE(pair.server_closed->code == Errc::bad_tag);
}

TEST_CASE("row 39: older server keys still open handshakes, unknown ones are closed silently") {
  test::SeededEntropy entropy(5);
  std::vector<ControlNoisePair> ring;
  for (int i = 0; i < 4; ++i) ring.push_back(ControlNoisePair::generate(entropy));
  ring.push_back(
      ControlNoisePair::from(ControlNoisePrivate::from_bytes(test::keys().server[0].secret.reveal_bytes())));
  Pair pair;
  pair.server_config.noise_keys = ring;
  pair.run();
  REQUIRE(pair.ready_seen);
  Pair other;
  other.server_config.noise_keys = std::span(ring).first(4);
  other.run();
  REQUIRE_FALSE(other.ready_seen);
  REQUIRE(other.to_client.empty());
  REQUIRE(other.server_closed->code == Errc::bad_tag);
}

TEST_CASE("row 58: the end inside a record is told apart from the end between records") {
  Pair pair;
  pair.run();
  Buffer part = test::unhex("0400");
  (void)pair.server().receive(part, pair.clock.now);
  pair.server().receive_end(pair.clock.now);
  pair.run();
  REQUIRE(pair.server_closed->code == Errc::truncated);
  Pair whole;
  whole.run();
  whole.server().receive_end(whole.clock.now);
  whole.run();
  REQUIRE(whole.server_closed->code == Errc::end_of_stream);
}

TEST_CASE("rows 52 to 56: bad records end the connection without another byte") {
  for (const char* bad :
       {"040ffe", "04ffff", "04000f", "040000", "030010", "010060", "020030", "000010", "050010"}) {
    INFO(bad);
    Pair pair;
    pair.run();
    pair.to_client.clear();
    Buffer in = test::unhex(bad);
    in.resize(in.size() + 32);
    (void)pair.server().receive(in, pair.clock.now);
    pair.run();
    REQUIRE(pair.server_closed);
    REQUIRE(pair.to_client.empty());
  }
}

TEST_CASE("refuse() sends an error record that the client reports as an untrusted hint (row 46)") {
  Pair pair;
  pair.on_server = [&](const ServerEvent& event) {
    if (std::holds_alternative<event::PeerKnown>(event))
      return pair.server().refuse("not today", pair.clock.now);
    pair.serve(event);
  };
  pair.run();
  REQUIRE(pair.client_closed);
  REQUIRE(pair.client_closed->code == Errc::peer_refused);
  REQUIRE(pair.client().refusal() == "not today");
}

TEST_CASE("rows 26 to 29: a client fails on anything but a proper 101") {
  const auto outcome = [](std::string_view server_says, bool end) {
    Pair pair;
    pair.client();
    std::array<Bytes, 16> pieces;
    pair.client().output_sent(pair.client().output(pieces, pair.clock.now) ? pieces[0].size() : 0,
                              pair.clock.now);
    Buffer in = test::buffer(server_says);
    (void)pair.client().receive(in, pair.clock.now);
    if (end) pair.client().receive_end(pair.clock.now);
    pair.clock.advance(std::chrono::seconds{11});
    pair.client().handle_timeout(pair.clock.now);
    while (auto event = pair.client().next_event()) pair.note(*event);
    REQUIRE_FALSE(pair.ready_seen);
    REQUIRE(pair.client_closed);
    return pair.client_closed->code;
  };
  for (const char* status : {"200 OK", "301 Moved Permanently", "307 Temporary Redirect", "502 Bad Gateway"})
    REQUIRE(
        outcome(std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 0\r\nLocation: http://x/\r\n\r\n",
                false) == Errc::bad_upgrade);
  const std::string good = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ";
  REQUIRE(outcome(good + "Tailscale-Control-Protocol\r\n\r\n", false) == Errc::bad_upgrade);
  REQUIRE(outcome("HTTP/1.1 101 Switching Protocols\r\nUpgrade: tailscale-control-protocol\r\n\r\n", false) ==
          Errc::bad_upgrade);
  REQUIRE(outcome(good + "tailscale-control-protocol\r\n\r\n", true) == Errc::end_of_stream);
  REQUIRE(outcome(good + "tailscale-control-protocol\r\n\r\n", false) == Errc::timeout);
  // rows 47 and 48: message 2 of a wrong type or size
  for (const char* bad : {"040030", "010030", "000030", "ff0030"})
    REQUIRE(outcome(good + "tailscale-control-protocol\r\n\r\n" + test::string(test::unhex(bad)), false) ==
            Errc::bad_message_type);
  for (const char* bad : {"02002f", "020031", "02ffff"})
    REQUIRE(outcome(good + "tailscale-control-protocol\r\n\r\n" + test::string(test::unhex(bad)), false) ==
            Errc::bad_message_size);
}

TEST_CASE("row 65: what is no HTTP/2 preface ends the connection, without an answer") {
  for (const std::string_view plaintext : {std::string_view("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
                                           std::string_view("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")}) {
    Pair pair;
    test::SeededEntropy entropy(8);
    std::array<std::uint8_t, noise::initiation_size> message1{};
    auto initiator =
        noise::Initiator::start(test::keys().machine, test::keys().server[0].open, ProtocolVersion{138},
                                noise::EphemeralKey::generate(entropy), message1);
    REQUIRE(initiator);
    BlockPool pool(8);
    ByteQueue wire(pool, 1 << 16);
    REQUIRE(entry::write_upgrade_request({"h"}, message1, wire));
    const auto send = [&] {
      std::array<Bytes, 4> pieces;
      const std::size_t count = wire.gather(pieces);
      REQUIRE(count == 1);
      Buffer copy(pieces[0].begin(), pieces[0].end());
      wire.consume(copy.size());
      (void)pair.server().receive(copy, pair.clock.now);
      while (auto event = pair.server().next_event()) pair.serve(*event);
    };
    send();
    std::array<Bytes, 4> pieces;
    REQUIRE(pair.server().output(pieces, pair.clock.now) == 1);
    const std::size_t head = as_text(pieces[0]).find("\r\n\r\n") + 4;
    std::array<std::uint8_t, noise::response_size> message2{};
    std::copy_n(pieces[0].begin() + static_cast<std::ptrdiff_t>(head), message2.size(), message2.begin());
    pair.server().output_sent(pieces[0].size(), pair.clock.now);
    auto session = std::move(*initiator).finish(test::keys().machine, message2);
    REQUIRE(session);
    CipherScratch cipher;
    noise::RecordWriter writer(std::move(session->send), wire, cipher);
    REQUIRE(writer.append(as_bytes(plaintext)));
    REQUIRE(writer.flush());
    send();
    REQUIRE(pair.server().output(pieces, pair.clock.now) == 0);
    while (auto event = pair.server().next_event()) pair.serve(*event);
    REQUIRE(pair.server_closed);
    REQUIRE(pair.server_closed->code == Errc::http2_protocol);
  }
}

TEST_CASE("a zero server key and a missing machine key are refused before anything is sent (row 4)") {
  Pair pair;
  pair.client_config.server = ControlNoisePublic{};
  pair.run();
  REQUIRE(pair.client_closed->code == Errc::misuse);
  REQUIRE(pair.recorded_to_server.empty());
}

TEST_CASE("row 22: what comes while the server decides is bounded") {
  Pair pair;
  pair.on_server = [&](const ServerEvent& event) {
    if (!std::holds_alternative<event::PeerKnown>(event)) pair.serve(event);  // takes its time
  };
  pair.client();
  for (int i = 0; i < 3; ++i) pair.step();
  REQUIRE_FALSE(pair.server().wants_input());
  Buffer flood(64 << 10, 0x55);
  REQUIRE(pair.server().receive(flood, pair.clock.now));
  const auto more = pair.server().receive(MutableBytes(flood).first(1), pair.clock.now);
  REQUIRE_FALSE(more);
  REQUIRE(more.error().code == Errc::limit_exceeded);
}

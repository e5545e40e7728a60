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

TEST_CASE("a split record has thirty seconds") {
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

TEST_CASE("row 61: records that complete keep a connection alive, wherever the reads are cut") {
  Pair pair;
  pair.run();
  Buffer waiting;
  for (int i = 0; i < 60; ++i) {  // every read ends inside a record, but never inside the same one
    pair.request("/echo", "x");
    while (pair.step_client()) {
    }
    waiting.insert(waiting.end(), pair.to_server.begin(), pair.to_server.end());
    pair.to_server.clear();
    const std::uint8_t last = waiting.back();
    waiting.pop_back();
    REQUIRE(pair.server().receive(waiting, pair.clock.now));
    waiting = {last};
    while (pair.step_server()) {
    }
    pair.clock.advance(1s);
    pair.server().handle_timeout(pair.clock.now);
  }
  REQUIRE_FALSE(pair.server_closed);
  REQUIRE(pair.requests.size() >= 59);
}

TEST_CASE("row 71: a slow stream that moves is not dropped") {
  Pair pair;
  std::vector<std::pair<StreamId, std::size_t>> kept;
  pair.on_client = [&](const ClientEvent& event) {
    if (const auto* data = std::get_if<event::ResponseData>(&event))
      kept.emplace_back(data->stream, data->bytes.size());
    else
      pair.note(event);
  };
  pair.run();
  pair.stream_messages = {std::string(12 << 20, 'z')};
  pair.request("/stream", "");
  pair.run();
  std::size_t received = 0;
  for (int i = 0; i < 4000 && received < (12u << 20) + 2; ++i) {
    std::size_t budget = 50'000;
    while (budget > 0 && !kept.empty()) {
      auto& [stream, size] = kept.back();
      const std::size_t n = std::min(budget, size);
      pair.client().release(stream, n);
      received += n;
      budget -= n;
      if ((size -= n) == 0) kept.pop_back();
    }
    pair.clock.advance(1s);
    pair.server().handle_timeout(pair.clock.now);
    pair.run();
    REQUIRE(pair.gone.empty());
  }
  REQUIRE(received == (12u << 20) + 2);
}

TEST_CASE("row 71: an answer whose window stays shut is dropped too, and does not hold up drain()") {
  Pair pair;
  pair.on_client = [&](const ClientEvent& event) {
    if (!std::holds_alternative<event::ResponseData>(event)) pair.note(event);
  };
  pair.on_server = [&](const ServerEvent& event) {
    const auto* request = std::get_if<Request>(&event);
    if (!request) return pair.serve(event);
    const StreamId stream = request->stream;
    pair.server().release(stream);
    REQUIRE(pair.server().respond(stream, {}, share(std::string(8 << 20, 'a'))));
  };
  pair.run();
  pair.request("/echo", "");
  pair.run();
  pair.server().drain(pair.clock.now);
  pair.run();
  REQUIRE_FALSE(pair.server_closed);
  for (int i = 0; i < 121; ++i) {
    pair.clock.advance(1s);
    pair.server().handle_timeout(pair.clock.now);
    pair.run();
  }
  REQUIRE(pair.server_closed);
  REQUIRE(pair.server_closed->code == Errc::closed);
}

TEST_CASE("a stream that has ended well is not heard of again, and leaves no deadline") {
  Pair pair;
  pair.on_server = [&](const ServerEvent& event) {
    const auto* request = std::get_if<Request>(&event);
    if (!request || request->path != "/stream") return pair.serve(event);
    const StreamId stream = request->stream;
    const SharedBytes piece = share("one");
    pair.server().release(stream);
    REQUIRE(pair.server().start_stream(stream, {}));
    REQUIRE(pair.server().push(stream, std::span(&piece, 1), pair.clock.now));
    REQUIRE(pair.server().end_stream(stream));
  };
  pair.run();
  pair.request("/hold", "");  // so that the connection is not idle
  for (int i = 0; i < 20; ++i) pair.request("/stream", "");
  pair.run();
  REQUIRE_FALSE(pair.server().next_timeout());
  pair.clock.advance(200s);
  pair.server().handle_timeout(pair.clock.now);
  pair.run();
  REQUIRE(pair.gone.empty());
}

TEST_CASE("inside Noise, a connection without a stream is asked to go after ten minutes") {
  Pair pair;
  pair.run();
  pair.request("/echo", "x");
  pair.run();
  pair.clock.advance(9min);
  pair.server().handle_timeout(pair.clock.now);
  pair.request("/echo", "y");
  pair.run();
  pair.clock.advance(9min);
  pair.server().handle_timeout(pair.clock.now);
  pair.run();
  REQUIRE_FALSE(pair.server_closed);
  pair.clock.advance(61s);
  pair.server().handle_timeout(pair.clock.now);
  pair.run();
  REQUIRE(pair.server_closed);
  REQUIRE(pair.server_closed->code == Errc::closed);
  REQUIRE(pair.client_closed);
}

namespace {

// All blocks of a pool, until they are given back.
struct Hoard {
  explicit Hoard(BlockPool& p) : pool(p) {
    while (Block* const block = pool.acquire()) blocks.push_back(block);
  }
  ~Hoard() { give_back(); }
  void give_back() {
    for (Block* const block : blocks) pool.release(block);
    blocks.clear();
  }
  BlockPool& pool;
  std::vector<Block*> blocks;
};

}  // namespace

TEST_CASE("without blocks an answer of the outer site waits, even the last one; nobody waits for ever") {
  for (const std::string_view last : {"", "Connection: close\r\n"}) {
    Pair pair;
    pair.server();
    Hoard hoard(pair.server_blocks);
    feed(pair, "GET /key HTTP/1.1\r\nHost: h\r\n" + std::string(last) + "\r\n");
    std::array<Bytes, 16> pieces;
    REQUIRE(pair.server().output(pieces, pair.clock.now) == 0);
    REQUIRE_FALSE(pair.server().next_event());
    REQUIRE(pair.server().next_timeout());
    REQUIRE(*pair.server().next_timeout() - pair.clock.now.mono <= 1s);
    SECTION(std::string("it is sent when there are some ") + std::string(last)) {
      pair.clock.advance(1s);
      hoard.give_back();
      pair.server().handle_timeout(pair.clock.now);
      REQUIRE(pair.server().output(pieces, pair.clock.now) == 1);
      REQUIRE(test::string(pieces[0]).ends_with("the key"));
    }
    SECTION(std::string("thirty seconds are the limit ") + std::string(last)) {
      REQUIRE(until_closed(pair) <= 31s);
      REQUIRE(pair.server_closed);
      REQUIRE_FALSE(pair.server().next_timeout());
    }
  }
}

TEST_CASE("without blocks a client's dial deadline still holds") {
  Pair pair;
  pair.client();
  pair.step_client();
  pair.step_server();
  Hoard hoard(pair.client_blocks);
  for (int i = 0; i < 120 && !pair.client_closed; ++i) {
    pair.step_client();
    pair.clock.advance(100ms);
    pair.client().handle_timeout(pair.clock.now);
    while (auto event = pair.client().next_event()) pair.note(*event);
  }
  REQUIRE(pair.client_closed);
  REQUIRE(pair.client_closed->code == Errc::timeout);
}

TEST_CASE("an unfinished body has thirty seconds, between whole records too") {
  Pair pair;
  pair.run();
  pair.request("/echo", std::string(100'000, 'b'));
  std::array<Bytes, 16> pieces;
  const std::size_t count = pair.client().output(pieces, pair.clock.now);
  Buffer sent;
  for (std::size_t i = 0; i < count; ++i) sent.insert(sent.end(), pieces[i].begin(), pieces[i].end());
  std::size_t whole = 0;  // the first five records
  for (int i = 0; i < 5; ++i) whole += 3 + std::size_t{load_u16be(Bytes(sent).subspan(whole + 1))};
  REQUIRE(whole < sent.size());
  REQUIRE(pair.server().receive(MutableBytes(sent).first(whole), pair.clock.now));
  const auto passed = until_closed(pair);
  REQUIRE(pair.server_closed);
  REQUIRE(pair.server_closed->code == Errc::timeout);
  REQUIRE(passed >= 29s);
  REQUIRE(passed <= 31s);
}

// SPDX-License-Identifier: BSD-3-Clause
// Every fault below the API, met by our own client in memory: what it says of each.
#include "ts2021/admin/connection_faults.h"
#include <algorithm>
#include <numeric>

#include "sim/pair.h"
#include "support/catch.h"

using namespace ts2021;
using namespace ts2021::admin;
using test::Pair;
using test::PairOptions;

namespace {

struct Source final : FaultSource {
  std::shared_ptr<const FaultBook> book;
  [[nodiscard]] std::shared_ptr<const FaultBook> faults() const override { return book; }
};

// A pair whose server is driven as a driver of a server for tests does it.
class Faulty {
 public:
  explicit Faulty(std::string_view script, PairOptions options = {}) : pair(std::move(options)) {
    auto parsed = FaultBook::parse(script);
    INFO(script << ": " << parsed.error.message);
    REQUIRE(parsed);
    source.book = std::move(parsed.book);
    faults = std::make_unique<ConnectionFaults>(source);
    pair.tamper = faults.get();
  }

  bool step() {
    bool moved = pair.step_client();
    moved |= events();
    if (!half_closed && !ended) moved |= write();
    moved |= events();  // Closed follows the last byte
    if (!pair.to_server.empty() && pair.server().wants_input()) {
      test::Buffer in(pair.to_server.begin(), pair.to_server.end());
      pair.to_server.clear();
      (void)pair.server().receive(in, pair.clock.now);
      moved = true;
    }
    if ((ended || half_closed) && pair.to_client.empty() && !std::exchange(end_told, true)) {
      pair.client().receive_end(pair.clock.now);
      moved = true;
    }
    return moved;
  }
  void run() {
    for (int i = 0; i < 100'000 && step(); ++i) {
    }
  }
  // Time passes, as far as something is due.
  void wait(std::chrono::milliseconds time) {
    pair.clock.now.mono += time;
    pair.server().handle_timeout(pair.clock.now);
    run();
  }
  // How the client sees its connection end.
  std::string_view seen() {
    run();
    return pair.client_closed ? name(pair.client_closed->code) : "open";
  }
  std::string converse() {
    run();
    if (!pair.ready_seen) return "not ready";
    if (pair.client_closed) return "closed: " + std::string(name(pair.client_closed->code));
    pair.request("/echo", "hello");
    run();
    return pair.transcript;
  }

  Source source;
  std::unique_ptr<ConnectionFaults> faults;
  Pair pair;
  std::vector<std::size_t> writes;
  bool half_closed = false, ended = false, end_told = false, was_reset = false;

 private:
  bool events() {
    bool any = false;
    while (auto event = pair.server().next_event()) {
      any = true;
      faults->on_event(*event);
      pair.on_server(*event);
    }
    return any;
  }
  bool write() {
    bool moved = false;
    for (Bytes out = faults->output(pair.server(), pair.clock.now); !out.empty();
         out = faults->output(pair.server(), pair.clock.now)) {
      moved = true;
      writes.push_back(out.size());
      pair.to_client.insert(pair.to_client.end(), out.begin(), out.end());
      faults->sent(pair.server(), out.size(), pair.clock.now);
    }
    switch (faults->end()) {
      case ConnectionFaults::End::none:
        return moved;
      case ConnectionFaults::End::half_close:
        faults->half_closed();
        half_closed = true;
        return true;
      case ConnectionFaults::End::reset:
        was_reset = true;
        [[fallthrough]];
      case ConnectionFaults::End::close:
        ended = true;
        pair.server().output_failed(pair.clock.now);
        return true;
    }
    return moved;
  }
};

std::string script(std::string_view layer, std::string_view fault, std::string_view more = {}) {
  return "[{\"layer\":\"" + std::string(layer) + "\",\"fault\":\"" + std::string(fault) + "\"" +
         std::string(more) + "}]";
}
std::string good_talk() { return "ready {\"nodeKeyChallenge\":\"x\"}\n200 hello\n"; }
std::string mine() { return ",\"machine\":\"" + test::keys().machine.open.text() + "\""; }

}  // namespace

TEST_CASE("no faults: a connection between is as if nothing were there") {
  for (const ClientMode mode : {ClientMode::noise, ClientMode::noise_websocket, ClientMode::http1}) {
    PairOptions options;
    options.mode = mode;
    Faulty f("[]", options);
    f.run();
    f.pair.stream_messages = {"one", std::string(100'000, 'x'), "three"};
    if (mode != ClientMode::http1) {
      f.pair.request("/stream", "go");
      f.run();
      CHECK(f.pair.transcript.ends_with("<one><" + std::string(100'000, 'x') + "><three>\n"));
    }
    CHECK(f.converse().ends_with("200 hello\n"));
    CHECK(f.seen() == "open");
    f.pair.server().close(fail(Errc::closed, 1), f.pair.clock.now);
    f.run();
    CHECK(f.pair.server_closed);
  }
}

TEST_CASE("tcp split: pieces of any size, and a pause between them") {
  Faulty f(script("tcp", "split"));
  CHECK(f.converse() == good_talk());
  CHECK(f.writes.size() > 300);
  CHECK(*std::max_element(f.writes.begin(), f.writes.end()) == 1);

  Faulty slow(script("tcp", "split", ",\"bytes\":100,\"delay\":\"1s\""));
  slow.run();
  CHECK(slow.writes == std::vector<std::size_t>{100});
  CHECK_FALSE(slow.pair.ready_seen);
  REQUIRE(slow.faults->next_timeout() == slow.pair.clock.now.mono + std::chrono::seconds{1});
  for (int i = 0; i < 9 && !slow.pair.ready_seen; ++i) slow.wait(std::chrono::seconds{1});
  CHECK(slow.pair.ready_seen);
}

TEST_CASE("tcp stall: after some bytes, for some time or for ever") {
  Faulty f(script("tcp", "stall", ",\"after\":150,\"delay\":\"5s\""));
  f.run();
  CHECK(f.pair.to_client.empty());
  CHECK_FALSE(f.pair.ready_seen);
  CHECK(std::accumulate(f.writes.begin(), f.writes.end(), std::size_t{}) == 150);
  f.wait(std::chrono::milliseconds{4999});
  CHECK_FALSE(f.pair.ready_seen);
  f.wait(std::chrono::milliseconds{1});
  CHECK(f.converse() == good_talk());

  Faulty ever(script("tcp", "stall"));
  ever.run();
  ever.wait(std::chrono::minutes{5});
  CHECK(ever.writes.empty());
}

TEST_CASE("tcp half-close and reset: after some bytes") {
  Faulty half(script("tcp", "half-close", ",\"after\":100"));
  CHECK(half.seen() == "end_of_stream");
  CHECK((half.half_closed && !half.was_reset));
  Faulty reset(script("tcp", "reset"));
  reset.run();
  CHECK((reset.was_reset && reset.writes.empty()));
  CHECK(reset.pair.server_closed);
  // Of one machine: when it is known, so that nothing has left.
  Faulty theirs(script("tcp", "reset", mine()));
  theirs.run();
  CHECK((theirs.was_reset && theirs.writes.empty()));
  Faulty others(script("tcp", "reset", ",\"machine\":\"mkey:" + std::string(64, '1') + "\""));
  CHECK(others.converse() == good_talk());
}

TEST_CASE("http status, redirect, strip-upgrade: the upgrade fails with what the client can tell") {
  Faulty status(script("http", "status", ",\"status\":503,\"retryAfter\":\"7s\""));
  CHECK(status.seen() == "bad_upgrade");
  CHECK(status.pair.client_closed->detail == 503);
  Faulty redirect(script("http", "redirect", ",\"location\":\"http://127.0.0.1:1/\"" + mine()));
  CHECK(redirect.seen() == "bad_upgrade");
  CHECK(redirect.pair.client_closed->detail == 302);
  Faulty strip(script("http", "strip-upgrade"));
  CHECK(strip.seen() == "bad_upgrade");
  CHECK(strip.pair.client_closed->detail != 302);
}

TEST_CASE("http: answers of other paths have their own rules; /key tells another key") {
  PairOptions outer;
  outer.mode = ClientMode::http1;
  const auto ask = [&](const std::string& rules) {
    Faulty f(rules, outer);
    std::string answer = "{\"legacyPublicKey\":\"mkey:" + std::string(64, 'a') +
                         "\",\"publicKey\":\"mkey:" + std::string(64, 'a') + "\"}";
    f.pair.on_server = [&](const ServerEvent& event) {
      if (const auto* request = std::get_if<event::Request>(&event)) {
        const StreamId stream = request->stream;
        f.pair.server().release(stream);
        (void)f.pair.server().respond(stream, {200, "application/json", {}}, share(answer));
      } else {
        f.pair.serve_closed(event);
      }
    };
    f.run();
    REQUIRE(f.pair.client().request({"GET", "/key", {}}, nullptr));
    f.run();
    return f.pair.transcript;
  };
  CHECK(ask(script("http", "status", ",\"path\":\"/key\",\"status\":500")).ends_with("500 fault\n\n"));
  CHECK(ask(script("http", "status")).find("200 ") != std::string::npos);
  const std::string told = ask(script("http", "wrong-key"));
  CHECK(told.find("\"publicKey\":\"mkey:0000000000000000" + std::string(48, 'a')) != std::string::npos);
  CHECK(told.find("\"legacyPublicKey\":\"mkey:" + std::string(64, 'a')) != std::string::npos);
}

TEST_CASE("noise wrong-key, error-record: the handshake fails") {
  Faulty wrong(script("noise", "wrong-key"));
  CHECK(wrong.seen() == "bad_tag");
  Faulty refused(script("noise", "error-record", ",\"text\":\"go away\"" + mine()));
  CHECK(refused.seen() == "peer_refused");
  CHECK(refused.pair.client().refusal() == "go away");
}

TEST_CASE("noise corrupt, truncate, reorder: the nth record ends the connection") {
  for (const int nth : {1, 2, 3}) {
    const std::string more = ",\"nth\":" + std::to_string(nth);
    Faulty corrupt(script("noise", "corrupt", more));
    (void)corrupt.converse();
    CHECK(corrupt.seen() == "bad_tag");
    Faulty truncate(script("noise", "truncate", more));
    (void)truncate.converse();
    CHECK(truncate.seen() == "truncated");
    CHECK(truncate.ended);
  }
  Faulty reorder(script("noise", "reorder", ",\"nth\":2"));
  CHECK(reorder.converse() != good_talk());
  if (reorder.seen() == "open") reorder.pair.request("/echo", "more");
  CHECK(reorder.seen() == "bad_tag");
  // Records are not seen in WebSocket messages: nothing fires.
  PairOptions web;
  web.mode = ClientMode::noise_websocket;
  Faulty hidden(script("noise", "corrupt"), web);
  CHECK(hidden.converse() == "ready \n200 hello\n");
  CHECK(hidden.source.book->tally(0).seen == 0);
}

TEST_CASE("early: none, garbage, a lying length, one that is too large") {
  Faulty none(script("early", "none"));
  CHECK(none.converse() == "ready \n200 hello\n");
  Faulty garbage(script("early", "garbage", ",\"bytes\":5"));
  CHECK(garbage.converse() == "ready ?????\n200 hello\n");
  // It swallows SETTINGS, and waits for more: HTTP/2 can't begin.
  Faulty lying(script("early", "lying-length", ",\"bytes\":20"));
  CHECK(lying.converse() == "closed: http2_protocol");
  Faulty large(script("early", "oversized"));
  CHECK(large.seen() == "bad_early_payload");
}

TEST_CASE("http2 goaway and reset: in front of the nth answer") {
  Faulty goaway(script("http2", "goaway", ",\"nth\":2"));
  CHECK(goaway.converse() == good_talk());
  goaway.pair.request("/echo", "again");
  goaway.run();
  CHECK(goaway.pair.transcript.find("200 again") == std::string::npos);
  CHECK(goaway.seen() == "going_away");
  Faulty reset(script("http2", "reset", ",\"code\":11"));
  CHECK(reset.converse() == "ready {\"nodeKeyChallenge\":\"x\"}\ngone stream_reset\n");
  reset.pair.request("/echo", "again");
  reset.run();
  CHECK(reset.pair.transcript.ends_with("200 again\n"));
}

TEST_CASE(
    "http2 zero-window: requests wait until the window opens, and the server does not mind the answers") {
  Faulty f(script("http2", "zero-window", ",\"delay\":\"3s\""));
  CHECK(f.converse() == good_talk());
  f.pair.request("/echo", "later");
  f.run();
  CHECK(f.pair.transcript == good_talk());
  f.wait(std::chrono::milliseconds{2999});
  CHECK(f.pair.transcript == good_talk());
  REQUIRE(f.faults->next_timeout() == f.pair.clock.now.mono + std::chrono::milliseconds{1});
  f.wait(std::chrono::milliseconds{1});
  CHECK(f.pair.transcript == good_talk() + "200 later\n");
  CHECK(f.seen() == "open");
}

TEST_CASE("http2 flood: of PING and SETTINGS; what the peer answers stays outside") {
  for (const std::string_view frame : {"ping", "settings"}) {
    Faulty f(script("http2", "flood", ",\"times\":90,\"frame\":\"" + std::string(frame) + "\""));
    CHECK(f.converse() == good_talk());
    CHECK(f.seen() == "open");
    CHECK_FALSE(f.pair.server_closed);
    Faulty many(script("http2", "flood", ",\"times\":1000,\"frame\":\"" + std::string(frame) + "\""));
    (void)many.converse();
    CHECK(many.seen() == "http2_flood");
  }
}

TEST_CASE("faults of a connection don't depend on how the peer's bytes are cut") {
  for (const std::size_t chunk : {1u, 2u, 7u}) {
    PairOptions options;
    options.chunk = chunk;
    Faulty f(script("http2", "flood", ",\"times\":90"), options);
    CHECK(f.converse() == good_talk());
    CHECK_FALSE(f.pair.server_closed);
  }
}

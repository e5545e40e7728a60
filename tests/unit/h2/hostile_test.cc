// SPDX-License-Identifier: BSD-3-Clause
// What peers must not do. Row numbers are those of the list of broken and hostile input in the specification.
#include "unit/h2/h2_support.h"

using namespace ts2021;
using namespace ts2021::h2;
using namespace ts2021::h2::test;

namespace {

// The only GOAWAY in `out`, which is its last frame.
std::uint32_t goaway_code(const std::vector<Frame>& out) {
  REQUIRE_FALSE(out.empty());
  REQUIRE(out.back().type == goaway);
  return load_u32be(Bytes(out.back().payload).subspan(4));
}

// Feeds what must end the connection; returns the GOAWAY's code.
std::uint32_t broken(Server& server, const Buffer& bytes, Errc code) {
  const auto fed = server.feed(bytes);
  REQUIRE_FALSE(fed);
  REQUIRE(fed.error().code == code);
  REQUIRE(server.feed(bytes).error() == fed.error());
  REQUIRE(server.feed({}).error() == fed.error());
  Sink sink;
  REQUIRE(server.session.drain_to(sink.sink()).error() == fed.error());
  REQUIRE(server.session.finished());
  return goaway_code(frames(sink.bytes));
}
std::uint32_t broken(const Buffer& bytes, Errc code = Errc::http2_protocol) {
  Server server;
  return broken(server, bytes, code);
}

// Feeds what must end stream 1 only; returns the RST_STREAM's code.
std::uint32_t stream_error(const Buffer& bytes) {
  Server server;
  REQUIRE(server.feed(bytes));
  const auto out = server.output();
  const Frame* const reset = find(out, rst, 1);
  REQUIRE(reset);
  REQUIRE(server.session.open_streams() == 0);
  REQUIRE(server.session.unreleased_bytes() == 0);
  REQUIRE(server.ask(request(3, "POST", "/machine/map", "{}")).stream == StreamId{3});
  return reset->code();
}

}  // namespace

TEST_CASE("row 65: no HTTP/2 preface ends the connection without a byte (H2-1)") {
  for (const std::string_view text :
       {"GET / HTTP/1.1\r\n\r\n", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r ", "\xff\xff\xffTS"}) {
    ServerSession session(routes, {});
    ts2021::test::Clock clock;
    auto fed = session.feed(as_bytes(text), clock.now);
    if (text == "P") {  // so far so good
      REQUIRE(fed);
      fed = session.feed(as_bytes("OST"), clock.now);
    }
    REQUIRE_FALSE(fed);
    REQUIRE(fed.error().code == Errc::http2_protocol);
    REQUIRE(fed.error().origin == 411);
    REQUIRE_FALSE(session.wants_output());
    REQUIRE(session.finished());
    REQUIRE(drain(session).empty());
  }
}

TEST_CASE("the first frame must be SETTINGS") {
  ServerSession session(routes, {});
  ts2021::test::Clock clock;
  (void)drain(session);
  const auto fed = session.feed(ts2021::test::buffer(magic) + frame(ping, 0, 0, Buffer(8)), clock.now);
  REQUIRE(fed.error().code == Errc::http2_protocol);
  REQUIRE(goaway_code(frames(drain(session))) == 1);
}

TEST_CASE("row 66: a frame above MAX_FRAME_SIZE is FRAME_SIZE_ERROR (H2-2)") {
  REQUIRE(broken(frame(data, 0, 1, Buffer(16'385))) == 6);
  Server server;
  REQUIRE(server.feed(request_head(1, "POST", "/machine/map") + frame(data, end_stream, 1, Buffer(16'384))));
  REQUIRE(server.next<Request>().body.size() == 16'384);
}

TEST_CASE("row 67: streams above our own limit are refused one by one (H2-7)") {
  Server server;
  Buffer in;
  for (std::uint32_t i = 0; i < 250; ++i) in = in + request_head(2 * i + 1, "POST", "/machine/map");
  REQUIRE(server.feed(in));
  REQUIRE(server.session.open_streams() == 200);
  auto out = server.output();
  REQUIRE(out.size() == 50);
  for (std::uint32_t i = 0; i < 50; ++i) {
    const Frame* const reset = find(out, rst, 2 * (200 + i) + 1);
    REQUIRE(reset);
    REQUIRE(reset->code() == 7);
  }
  // The body of a refused request is ignored, and its window is given back.
  REQUIRE(server.feed(frame(data, end_stream, 499, Buffer(10))));
  REQUIRE(server.session.unreleased_bytes() == 0);
  // One of the 200 ends: there is room for one.
  REQUIRE(server.feed(frame(rst, 0, 1, u32(8)) + request(501, "POST", "/machine/map", "{}")));
  REQUIRE(server.next<Request>().stream == StreamId{501});
  REQUIRE(server.feed(request(503, "POST", "/machine/map", "{}")));
  REQUIRE_FALSE(server.session.next_event());
}

TEST_CASE("300 streams of our own client: none above the announced limit, all are served in turn (H2-7)") {
  Pair pair({.refuse_above = 250});
  for (int i = 0; i < 300; ++i)
    REQUIRE(pair.client.request({.authority = "a", .path = "/machine/map"}, share("{}")));
  std::size_t served = 0;
  for (int round = 0; round < 10; ++round) {
    pair.run();
    REQUIRE(pair.server.open_streams() <= 250);
    while (const auto event = pair.server.next_event()) {
      const auto& request = std::get<Request>(*event);
      REQUIRE(pair.server.respond(request.stream, {200, "", {}}, share("ok")));
      pair.server.release(request.stream);
      ++served;
    }
  }
  REQUIRE(served == 300);
  std::string all = pair.received();
  std::size_t ends = 0;
  for (std::size_t at = all.find("|end"); at != std::string::npos; at = all.find("|end", at + 1)) ++ends;
  REQUIRE(ends == 300);
}

TEST_CASE("row 67: a client that ignores the announced limit loses the connection") {
  Server server({.max_streams = 100, .refuse_above = 1000});
  REQUIRE(server.feed(frame(settings, ack, 0)));
  Buffer in;
  for (std::uint32_t i = 0; i < 101; ++i) in = in + request_head(2 * i + 1, "POST", "/machine/map");
  REQUIRE(broken(server, in, Errc::http2_protocol) == 1);
}

TEST_CASE("row 68: opening and resetting in a loop, above 100 in 10 s (H2-9)") {
  const auto pair_of = [](std::uint32_t i) {
    return request_head(2 * i + 1, "POST", "/machine/map") + frame(rst, 0, 2 * i + 1, u32(8));
  };
  Server server;  // the client's SETTINGS was the first of the hundred
  for (std::uint32_t i = 0; i < 99; ++i) REQUIRE(server.feed(pair_of(i)));
  (void)server.output();
  REQUIRE(broken(server, pair_of(99), Errc::http2_flood) == 11);

  Server slow;  // 8 per second for two minutes: a client that polls again and again
  for (std::uint32_t i = 0; i < 960; ++i) {
    if (i % 8 == 0) slow.clock.advance(std::chrono::seconds{1});
    REQUIRE(slow.feed(pair_of(i)));
  }
  REQUIRE(slow.session.open_streams() == 0);
}

TEST_CASE("row 69: floods of PING and SETTINGS (H2-9)") {
  for (const Buffer& one :
       {frame(ping, 0, 0, Buffer(8)), frame(ping, ack, 0, Buffer(8)), frame(settings, 0, 0)}) {
    Server server;
    Buffer in;
    for (int i = 0; i < 99; ++i) in = in + one;
    REQUIRE(server.feed(in));
    (void)server.output();
    REQUIRE(broken(server, one, Errc::http2_flood) == 11);
  }
  Server c_client;  // pings every five seconds, for an hour
  for (int i = 0; i < 720; ++i) {
    c_client.clock.advance(std::chrono::seconds{5});
    REQUIRE(c_client.feed(frame(ping, 0, 0, Buffer(8))));
    REQUIRE(c_client.output().size() == 1);
  }
}

TEST_CASE("row 69: floods of frames that do nothing (H2-9)") {
  const Buffer five(5);
  for (const Buffer& one : {frame(data, 0, 1), frame(priority, 0, 1, five), frame(priority, 0, 9, five),
                            frame(window, 0, 1, u32(1)), frame(window, 0, 0, u32(1023))}) {
    Server server;
    REQUIRE(server.feed(request_head(1, "POST", "/machine/map")));
    Buffer in;
    for (int i = 0; i < 1000; ++i) in = in + one;
    REQUIRE(server.feed(in));
    (void)server.output();
    REQUIRE(broken(server, one, Errc::http2_flood) == 11);
  }
  // Windows opened by 1 KiB and more are no flood (H2-12).
  Server server;
  REQUIRE(server.feed(request_head(1, "POST", "/machine/map")));
  Buffer in;
  for (int i = 0; i < 2000; ++i) in = in + frame(window, 0, 1, u32(4096));
  REQUIRE(server.feed(in));
}

TEST_CASE("row 69: stream errors count like resets (H2-9)") {
  Server server;
  Result<void> fed{};
  std::uint32_t i = 0;
  for (; i < 200 && fed; ++i) {
    fed = server.feed(frame(headers, end_headers | end_stream, 2 * i + 1, literal(":method", "GET")));
    if (fed) (void)server.output();
  }
  REQUIRE(i == 100);
  REQUIRE(fed.error().code == Errc::http2_flood);
}

TEST_CASE("row 69: header bombs and CONTINUATION floods (H2-3, H2-9)") {
  // 17 KB of header list in one frame.
  const std::string big(8'300, 'x');
  REQUIRE(
      broken(request_head(1, "POST", "/machine/map", literal("a", big) + literal("b", big.substr(0, 7'900))),
             Errc::http2_flood) == 11);
  // The same through the dynamic table: one field of 4,000 bytes, then references of one byte each.
  Buffer bomb = head("POST", "/machine/map");
  const std::string value(4'000, 'y');
  bomb = bomb + Buffer{0x40} + hpack_size(1) + Buffer{'a'} + hpack_size(value.size());
  append(bomb, value);
  bomb.resize(bomb.size() + 1000, 0x80 | 62);
  REQUIRE(broken(frame(headers, end_headers, 1, bomb), Errc::http2_flood) == 11);
  // CONTINUATION without end.
  Server server;
  REQUIRE(server.feed(frame(headers, 0, 1, head("POST", "/machine/map"))));
  Result<void> fed{};
  int count = 0;
  for (; count < 1000 && fed; ++count)
    fed = server.feed(frame(continuation, 0, 1, literal("a", std::string(100, 'z'))));
  REQUIRE(count < 130);  // 16 KiB at the latest
  REQUIRE(fed.error().code == Errc::http2_flood);
  // Something else in between.
  REQUIRE(broken(frame(headers, 0, 1, head("POST", "/machine/map")) + frame(ping, 0, 0, Buffer(8))) == 1);
  // Broken compression.
  REQUIRE(broken(frame(headers, end_headers, 1, Buffer{0xff, 0xff, 0xff, 0xff, 0xff})) == 9);
}

TEST_CASE("heads of many waiting requests are bounded together (H2-3)") {
  Server server;
  Buffer in;
  const std::string value(15'000, 'h');
  for (std::uint32_t i = 0; i < 100; ++i)
    in = in + request_head(2 * i + 1, "POST", "/machine/map", literal("a", value));
  REQUIRE(server.feed(in));
  REQUIRE(server.session.open_streams() == 18);  // 256 KiB of heads, and the one that passed it
}

TEST_CASE("row 70: window overflow and increments of zero") {
  REQUIRE(broken(frame(window, 0, 0, u32(0))) == 1);
  REQUIRE(broken(frame(window, 0, 0, u32(0x7fffffff))) == 3);
  const Buffer open = request_head(1, "POST", "/machine/map");
  REQUIRE(stream_error(open + frame(window, 0, 1, u32(0x7fffffff))) == 3);
  REQUIRE(broken(frame(settings, 0, 0, setting(4, 0x80000000U))) == 3);
  // A zero increment on a stream: the library may end the stream or the connection; both are right.
  Server server;
  const auto fed = server.feed(open + frame(window, 0, 1, u32(0)));
  if (fed)
    REQUIRE(find(server.output(), rst, 1)->code() == 1);
  else
    REQUIRE(fed.error().code == Errc::http2_protocol);
}

TEST_CASE("row 72: a body above the route's limit is answered 413 and costs nothing (H2-11)") {
  const auto limit = std::size_t{1000};  // of the bootstrap route
  const auto refuse = [](const Buffer& in, const Buffer& rest) {
    Server server;
    REQUIRE(server.feed(in));
    REQUIRE_FALSE(server.session.next_event());
    REQUIRE(server.session.unreleased_bytes() == 0);
    const auto out = server.output();
    REQUIRE(find(out, headers, 1));
    REQUIRE(ts2021::test::string(find(out, data, 1)->payload) == "request body too large\n");
    REQUIRE(find(out, data, 1)->flags == end_stream);
    REQUIRE(out.back().type == rst);
    REQUIRE(out.back().code() == 0);
    REQUIRE(server.feed(rest));
    REQUIRE(server.output().empty());
    REQUIRE(server.session.open_streams() == 0);
    REQUIRE(server.ask(request(3, "POST", "/machine/map", "{}")).stream == StreamId{3});
  };
  const Buffer plain = request_head(1, "GET", "/machine/tka/bootstrap");
  refuse(request_head(1, "GET", "/machine/tka/bootstrap", literal("content-length", "1001")),
         frame(data, end_stream, 1, Buffer(1001)));
  REQUIRE(stream_error(request_head(1, "GET", "/machine/tka/bootstrap",
                                    literal("content-length", "99999999999999999999"))) == 1);
  refuse(plain + frame(data, 0, 1, Buffer(limit)) + frame(data, 0, 1, Buffer(1)), frame(data, end_stream, 1));
  refuse(request_head(1, "GET", "/machine/ssh/action/1/to/2") + frame(data, 0, 1, Buffer(1)), {});
  Server server;
  REQUIRE(server.ask(plain + frame(data, end_stream, 1, Buffer(limit))).body.size() == limit);
}

TEST_CASE("heads that are not requests end their stream") {
  const auto pseudo = [](const Buffer& block) {
    return stream_error(frame(headers, end_headers | end_stream, 1, block));
  };
  REQUIRE(pseudo(literal(":method", "POST") + literal(":scheme", "https") + literal(":authority", "a")) == 1);
  REQUIRE(pseudo(literal(":path", "/machine/map") + literal(":scheme", "https") +
                 literal(":authority", "a")) == 1);
  REQUIRE(pseudo(head("POST", "/machine/map") + literal("connection", "close")) == 1);
  REQUIRE(pseudo(head("POST", "/machine/map") + literal("UPPER", "x")) == 1);
  REQUIRE(pseudo(head("POST", "/machine/map") + literal(":late", "x")) == 1);
  REQUIRE(pseudo(literal(":method", "POST") + head("POST", "/machine/map")) == 1);
  REQUIRE(stream_error(request_head(1, "POST", "/machine/map", literal("content-length", "3")) +
                       frame(data, end_stream, 1, Buffer(2))) == 1);
  REQUIRE(stream_error(request_head(1, "POST", "/machine/map", literal("content-length", "3")) +
                       frame(data, 0, 1, Buffer(4))) == 1);
}

TEST_CASE("frames where they must not be") {
  REQUIRE(broken(request_head(2, "POST", "/machine/map")) == 1);      // even stream
  REQUIRE(broken(frame(data, 0, 1, Buffer(1))) == 1);                 // idle stream
  REQUIRE(broken(frame(rst, 0, 1, u32(8))) == 1);                     // idle stream
  REQUIRE(broken(frame(data, 0, 0, Buffer(1))) == 1);                 // stream 0
  REQUIRE(broken(frame(push_promise, end_headers, 1, u32(2))) == 1);  // by a client
  REQUIRE(broken(frame(settings, 0, 0, Buffer(5))) == 6);             // not a multiple of six
  REQUIRE(broken(frame(settings, 0, 0, setting(2, 2))) == 1);         // ENABLE_PUSH 2
  REQUIRE(broken(frame(ping, 0, 0, Buffer(7))) == 6);
  REQUIRE(broken(frame(continuation, end_headers, 1, head("POST", "/machine/map"))) == 1);
  REQUIRE(broken(request_head(1, "POST", "/machine/map") + frame(data, padded, 1, Buffer{200, 1})) == 1);
  Server server;
  REQUIRE(server.feed(frame(0x42, 0xff, 77, Buffer(100))));  // unknown types are skipped
  REQUIRE(server.ask(request(1, "POST", "/machine/map", "{}")).stream == StreamId{1});
}

TEST_CASE("one SETTINGS ACK may come before our SETTINGS was seen, a second one may not (H2-5)") {
  ServerSession session(routes, {});
  ts2021::test::Clock clock;
  REQUIRE(session.feed(preface() + frame(settings, ack, 0) + request(1, "POST", "/machine/map", "{}"),
                       clock.now));
  REQUIRE(session.next_event());
  const auto out = frames(drain(session));
  REQUIRE(out[0].type == settings);
  REQUIRE(out[0].flags == 0);
  REQUIRE(session.feed(frame(settings, ack, 0), clock.now).error().code == Errc::http2_protocol);
}

TEST_CASE("an error behind a held-up DATA frame comes out with the GOAWAY") {
  Server server;
  const StreamId stream = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  REQUIRE(server.session.start_stream(stream, {200, "", {}}));
  (void)server.output();
  const SharedBytes piece = share("x");
  REQUIRE(*server.session.push(stream, std::span(&piece, 1)));
  Sink full;
  full.room = 0;
  REQUIRE(server.session.drain_to(full.sink()));
  const bool at_once = !server.feed(frame(data, 0, 77, Buffer(1)));
  Sink sink;
  const auto drained = server.session.drain_to(sink.sink());
  REQUIRE((at_once || !drained));
  REQUIRE(drained.error().code == Errc::http2_protocol);
  REQUIRE(goaway_code(frames(sink.bytes)) == 1);
  REQUIRE(server.feed({}).error() == drained.error());
}

TEST_CASE("frames that the sink does not take stay bounded while the peer goes on") {
  Server server;
  Sink full;
  full.room = 0;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const auto fed = server.feed(request_head(2 * i + 1, "HEAD", "/nowhere", {}, end_stream));
    (void)server.session.drain_to(full.sink());
    if (!fed) break;  // above the limit of open streams
  }
  const Buffer out = drain(server.session);
  REQUIRE(out.size() < 64'000);
}

TEST_CASE("every changed byte of a good flight is taken or refused, never more") {
  const Buffer flight = preface(setting(4, 1 << 20)) + frame(window, 0, 0, u32(1 << 20)) +
                        frame(settings, ack, 0) + request(1, "POST", "/machine/register?x=1", "{\"a\":1}") +
                        frame(ping, 0, 0, Buffer(8)) + request(3, "GET", "/machine/ssh/action/1/to/2", "") +
                        frame(rst, 0, 1, u32(8));
  ts2021::test::flip_every_byte(flight,
                                [](const Buffer& changed, std::size_t) {
                                  ServerSession session(routes, {});
                                  ts2021::test::Clock clock;
                                  const auto fed = session.feed(changed, clock.now);
                                  while (const auto event = session.next_event()) {
                                    if (const auto* request = std::get_if<Request>(&*event)) {
                                      (void)session.respond(request->stream, {200, "", {}}, share("ok"));
                                      session.release(request->stream);
                                    }
                                  }
                                  Sink sink;
                                  const auto drained = session.drain_to(sink.sink());
                                  return session.unreleased_bytes() < changed.size() && (fed || !drained) &&
                                         sink.bytes.size() < 2000;
                                },
                                {0x01, 0x20, 0x80, 0xff});
}

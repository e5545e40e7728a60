// SPDX-License-Identifier: BSD-3-Clause
// Windows, in both directions.
#include "unit/h2/h2_support.h"

using namespace ts2021;
using namespace ts2021::h2;
using namespace ts2021::h2::test;

namespace {

SharedBytes filled(std::size_t size, char with) {
  return share(std::vector<std::uint8_t>(size, static_cast<std::uint8_t>(with)));
}

std::size_t data_bytes(const std::vector<Frame>& out, std::uint32_t stream) {
  std::size_t size = 0;
  for (const Frame& f : out)
    if (f.type == data && f.stream == stream) size += f.payload.size();
  return size;
}

std::uint32_t opened(const std::vector<Frame>& out, std::uint32_t stream) {
  std::uint32_t size = 0;
  for (const Frame& f : out)
    if (f.type == window && f.stream == stream) size += f.code();
  return size;
}

}  // namespace

TEST_CASE("row 71: a client that does not read one stream stalls that stream only (H2-8)") {
  Server server({}, setting(4, 10'000));
  const StreamId map = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  REQUIRE(server.session.start_stream(map, {200, "", {}}));
  const SharedBytes big = filled(25'000, 'm'), small = share("small");
  REQUIRE(*server.session.push(map, std::span(&big, 1)));
  REQUIRE(data_bytes(server.output(), 1) == 10'000);
  REQUIRE_FALSE(server.session.wants_output());
  REQUIRE_FALSE(*server.session.push(map, std::span(&small, 1)));
  REQUIRE_FALSE(server.session.next_event());

  const StreamId other = server.ask(request(3, "POST", "/machine/register", "{}")).stream;
  REQUIRE(server.session.respond(other, {200, "", {}}, filled(9'000, 'r')));
  REQUIRE(data_bytes(server.output(), 3) == 9'000);

  REQUIRE(server.feed(frame(window, 0, 1, u32(10'000))));
  REQUIRE(data_bytes(server.output(), 1) == 10'000);
  REQUIRE(server.feed(frame(window, 0, 1, u32(10'000))));
  REQUIRE(data_bytes(server.output(), 1) == 5'000);
  REQUIRE(server.next<StreamWritable>().stream == map);
  REQUIRE(*server.session.push(map, std::span(&small, 1)));
  REQUIRE(data_bytes(server.output(), 1) == 5);
}

TEST_CASE("a closed connection window holds everything, and a shrunken stream window too") {
  Server server;
  ServerSession session(routes, {});
  ts2021::test::Clock clock;
  REQUIRE(session.feed(
      preface() + request(1, "POST", "/machine/map", "{}") + request(3, "POST", "/machine/map", "{}"),
      clock.now));
  for (int i = 0; i < 2; ++i) {
    const auto event = session.next_event();
    REQUIRE(session.respond(std::get<Request>(*event).stream, {200, "", {}}, filled(50'000, 'x')));
  }
  auto out = frames(drain(session));
  REQUIRE(data_bytes(out, 1) + data_bytes(out, 3) == 65'535);
  REQUIRE_FALSE(session.wants_output());
  REQUIRE(session.feed(frame(settings, 0, 0, setting(4, 0)) + frame(window, 0, 0, u32(100'000)), clock.now));
  out = frames(drain(session));
  REQUIRE(data_bytes(out, 1) + data_bytes(out, 3) == 0);
  REQUIRE(session.feed(frame(settings, 0, 0, setting(4, 65'535)), clock.now));
  out = frames(drain(session));
  REQUIRE(data_bytes(out, 1) + data_bytes(out, 3) == 100'000 - 65'535);
  REQUIRE(session.open_streams() == 0);
}

TEST_CASE("a body opens its stream's window as it comes, the connection's by release() (H2-8)") {
  Server server;
  REQUIRE(server.feed(request_head(1, "POST", "/machine/map")));
  std::uint32_t stream_opened = 0, connection_opened = 0;
  const std::size_t size = 1 << 20;
  for (std::size_t sent = 0; sent < size; sent += 16'384) {
    REQUIRE(server.feed(
        frame(data, sent + 16'384 == size ? end_stream : std::uint8_t{0}, 1, Buffer(16'384, 'b'))));
    const auto out = server.output();
    stream_opened += opened(out, 1);
    connection_opened += opened(out, 0);
  }
  REQUIRE(stream_opened >= size - (256 << 10));
  REQUIRE(connection_opened == 0);
  const auto request = server.next<Request>();
  REQUIRE(request.body.size() == size);
  REQUIRE(server.session.unreleased_bytes() == size);
  server.session.release(request.stream);
  REQUIRE(opened(server.output(), 0) == size);
}

TEST_CASE("unreleased bodies never exceed max_bodies: who goes on breaks the protocol (H2-8)") {
  Server server;
  std::size_t sent = 0;
  std::uint32_t stream = 1;
  const Buffer chunk(16'384, 'b');
  REQUIRE(server.feed(request_head(stream, "POST", "/big")));
  while (sent < (2 << 20)) {
    REQUIRE(server.feed(frame(data, 0, stream, chunk)));
    sent += chunk.size();
    if (sent % (1 << 20) == 0) {
      stream += 2;
      REQUIRE(server.feed(request_head(stream, "POST", "/big")));
    }
  }
  REQUIRE(server.session.unreleased_bytes() == (2 << 20));
  (void)server.output();
  const auto fed = server.feed(frame(data, 0, stream, Buffer(1)));
  REQUIRE(fed.error().code == Errc::http2_protocol);
  REQUIRE(fed.error().detail == 3);
  REQUIRE(server.session.unreleased_bytes() == (2 << 20));
}

TEST_CASE("bodies that do not fit together are refused, not left waiting for each other (H2-8)") {
  Server server;
  const auto ask = [&server](std::uint32_t stream, std::size_t size) {
    return server.feed(
        request_head(stream, "POST", "/machine/map", literal("content-length", std::to_string(size))));
  };
  REQUIRE(ask(1, 600'000));
  REQUIRE(ask(3, 400'000));
  REQUIRE(server.output().empty());
  REQUIRE(ask(5, 100'000));  // half of 2 MiB is 1,048,576
  auto out = server.output();
  REQUIRE(out.size() == 1);
  REQUIRE(out[0].type == rst);
  REQUIRE(out[0].stream == 5);
  REQUIRE(out[0].code() == 7);
  REQUIRE(server.feed(frame(rst, 0, 3, u32(8))));
  REQUIRE(ask(7, 400'000));
  REQUIRE(server.output().empty());
  for (int i = 0; i < 60; ++i)
    REQUIRE(server.feed(frame(data, i == 59 ? end_stream : std::uint8_t{0}, 1, Buffer(10'000))));
  const auto request = server.next<Request>();
  REQUIRE(ask(9, 600'000));
  REQUIRE(server.output().back().type == rst);
  server.session.release(request.stream);
  REQUIRE(ask(11, 600'000));
  REQUIRE(find(server.output(), rst, 11) == nullptr);
}

TEST_CASE("400 bodies of 20 KB at once from a client that repeats what is refused (H2-8)") {
  Pair pair;
  int wanted = 400, under_way = 0, served = 0;
  const SharedBytes body = filled(20'000, 'u');
  for (int round = 0; round < 2000 && served < 400; ++round) {
    for (; wanted > 0; --wanted, ++under_way)
      REQUIRE(pair.client.request({.authority = "a", .path = "/machine/map"}, body));
    pair.run();
    REQUIRE(pair.server.unreleased_bytes() <= 1 << 20);
    while (const auto event = pair.server.next_event()) {
      const auto& request = std::get<Request>(*event);
      REQUIRE(request.body.size() == 20'000);
      REQUIRE(pair.server.respond(request.stream, {200, "", {}}, share("ok")));
      pair.server.release(request.stream);
    }
    pair.run();
    while (const auto event = pair.client.next_event()) {
      if (const auto* gone = std::get_if<ClientGone>(&*event)) {
        REQUIRE(gone->why.detail == 7);
        ++wanted;
        --under_way;
      }
      if (std::holds_alternative<ClientEnd>(*event)) ++served;
    }
  }
  REQUIRE(served == 400);
}

TEST_CASE("content-length alone reserves nothing to speak of") {
  Server server;
  const std::size_t before = ts2021::test::allocation_count();
  REQUIRE(server.feed(request_head(1, "POST", "/machine/map", literal("content-length", "1048576"))));
  REQUIRE(ts2021::test::allocation_count() - before < 100);
  REQUIRE(server.session.unreleased_bytes() == 0);
}

TEST_CASE("whatever ends a body, its window comes back whole (H2-8, H2-11, row 72)") {
  // Each way is taken until 40 times the connection's window has passed through.
  enum class Way {
    too_large,
    reset_by_peer,
    reset_by_us,
    not_found,
    refused,
    bad_length,
    padding,
    cancelled_late
  };
  for (const Way way : {Way::too_large, Way::reset_by_peer, Way::reset_by_us, Way::not_found, Way::refused,
                        Way::bad_length, Way::padding, Way::cancelled_late}) {
    INFO("way " << static_cast<int>(way));
    ServerLimits limits{.max_bodies = 128 << 10, .stream_window = 128 << 10};
    if (way == Way::refused) limits.refuse_above = 0;
    Server server(limits);
    std::int64_t room = 128 << 10;
    std::uint32_t stream = 1;
    const Buffer chunk(16'384, 'b');
    const auto account = [&] {
      room += opened(server.output(), 0);
      REQUIRE(room <= 128 << 10);
    };
    for (int round = 0; round < 320; ++round, stream += 2) {
      server.clock.advance(std::chrono::seconds{1});
      Buffer start = request_head(stream, "POST", "/machine/map");
      if (way == Way::too_large) start = request_head(stream, "GET", "/machine/tka/bootstrap");
      if (way == Way::not_found) start = request_head(stream, "POST", "/nowhere");
      if (way == Way::bad_length)
        start = request_head(stream, "POST", "/machine/map", literal("content-length", "5"));
      Buffer body =
          frame(data, way == Way::reset_by_us || way == Way::cancelled_late ? end_stream : std::uint8_t{0},
                stream, chunk);
      if (way == Way::padding) {
        Buffer padding(200);
        padding[0] = 199;
        body = frame(data, padded, stream, padding) + frame(rst, 0, stream, u32(8));
      }
      room -= static_cast<std::int64_t>(body.size());
      REQUIRE(room > 0);  // the peer may always send
      room += static_cast<std::int64_t>(body.size()) - (way == Way::padding ? 200 : 16'384);
      REQUIRE(server.feed(start + body));
      if (way == Way::reset_by_peer) REQUIRE(server.feed(frame(rst, 0, stream, u32(8))));
      if (way == Way::reset_by_us || way == Way::cancelled_late) {
        const auto request = server.next<Request>();
        if (way == Way::reset_by_us) server.session.reset_stream(request.stream);
        if (way == Way::cancelled_late) REQUIRE(server.feed(frame(rst, 0, stream, u32(8))));
        account();
        server.session.release(request.stream);
        if (way == Way::cancelled_late) (void)server.next<StreamClosed>();
      }
      account();
      REQUIRE_FALSE(server.session.next_event());
      REQUIRE(server.session.unreleased_bytes() == 0);
      REQUIRE(server.session.open_streams() == 0);
    }
  }
}

TEST_CASE("a megabyte both ways through small windows") {
  Pair pair({.max_bodies = 140'000, .stream_window = 20'000},
            {.stream_window = 10'000, .connection_window = 66'000});
  // The body of a request must fit max_bodies; the answer need not.
  REQUIRE(pair.client.request({.authority = "a", .path = "/machine/map"}, filled(60'000, 'q')));
  pair.run();
  const Request request = pair.take_request();
  REQUIRE(request.body.size() == 60'000);
  REQUIRE(pair.server.respond(request.stream, {200, "", {}}, filled(1 << 20, 'a')));
  pair.server.release(request.stream);
  std::size_t size = 0;
  bool ended = false;
  for (int round = 0; round < 1000 && !ended; ++round) {
    pair.run();
    while (const auto event = pair.client.next_event()) {
      if (const auto* d = std::get_if<ClientData>(&*event)) {
        REQUIRE(d->bytes.size() <= 16 << 10);
        size += d->bytes.size();
        pair.client.release(d->stream, d->bytes.size());
      }
      ended = ended || std::holds_alternative<ClientEnd>(*event);
    }
  }
  REQUIRE(ended);
  REQUIRE(size == 1 << 20);
}

TEST_CASE("a client that does not release gets no more than its window") {
  Pair pair({}, {.stream_window = 100'000, .connection_window = 150'000});
  for (int i = 0; i < 2; ++i) {
    REQUIRE(pair.client.request({.authority = "a", .path = "/machine/map"}, share("{}")));
    pair.run();
    const Request request = pair.take_request();
    REQUIRE(pair.server.respond(request.stream, {200, "", {}}, filled(1 << 20, 'a')));
  }
  pair.run();
  std::size_t size = 0;
  std::vector<std::pair<StreamId, std::size_t>> taken;
  while (const auto event = pair.client.next_event())
    if (const auto* d = std::get_if<ClientData>(&*event)) {
      size += d->bytes.size();
      taken.emplace_back(d->stream, d->bytes.size());
    }
  REQUIRE(size == 150'000);
  pair.run();
  REQUIRE_FALSE(pair.client.next_event());
  for (const auto& [stream, bytes] : taken) pair.client.release(stream, bytes);
  pair.run();
  REQUIRE(pair.client.next_event());
}

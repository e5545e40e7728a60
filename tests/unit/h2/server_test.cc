// SPDX-License-Identifier: BSD-3-Clause
#include "h2/server_session.h"

#include "unit/h2/h2_support.h"

using namespace ts2021;
using namespace ts2021::h2;
using namespace ts2021::h2::test;
using ts2021::test::allocation_count;
using ts2021::test::string;

namespace {

SharedBytes filled(std::size_t size, char with) {
  return share(std::vector<std::uint8_t>(size, static_cast<std::uint8_t>(with)));
}

}  // namespace

TEST_CASE("the server's settings go out at once, before any input (H2-2, H2-4)") {
  ServerSession session(routes, {});
  REQUIRE(session.wants_output());
  REQUIRE_FALSE(session.preface_received());
  const auto out = frames(drain(session));
  REQUIRE(out.size() == 2);
  REQUIRE(out[0].type == settings);
  // MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE; neither HEADER_TABLE_SIZE nor
  // MAX_FRAME_SIZE
  REQUIRE(out[0].payload == setting(3, 250) + setting(4, 262'144) + setting(6, 16'384));
  REQUIRE(out[1].type == window);
  REQUIRE(out[1].stream == 0);
  REQUIRE(out[1].payload == u32((2 << 20) - 65'535));
  REQUIRE_FALSE(session.wants_output());
  REQUIRE_FALSE(session.finished());
}

TEST_CASE("the preface counts with the client's settings behind it (H2-1)") {
  ServerSession session(routes, {});
  ts2021::test::Clock clock;
  REQUIRE(session.feed(as_bytes(magic), clock.now));
  REQUIRE_FALSE(session.preface_received());
  REQUIRE(session.feed(frame(settings, 0, 0), clock.now));
  REQUIRE(session.preface_received());
}

TEST_CASE("a request is given out whole, with padding behind its body (H2-10, row 73)") {
  Server server;
  const Buffer in = request_head(
      1, "POST", "/machine/register?a=b",
      literal("host", "other.example") + literal("ts-lb", "nodekey:forged") + literal("content-length", "5"));
  REQUIRE(server.feed(in + frame(data, 0, 1, ts2021::test::buffer("he"))));
  REQUIRE_FALSE(server.session.next_event());
  REQUIRE(server.session.unreleased_bytes() == 2);
  const Request request = server.ask(frame(data, end_stream, 1, ts2021::test::buffer("llo")));
  REQUIRE(request.stream == StreamId{1});
  REQUIRE(request.site == Site::noise);
  REQUIRE(request.route == RouteId{route_register});
  REQUIRE(request.method == Method::post);
  REQUIRE(request.path == "/machine/register");
  REQUIRE(request.query == "a=b");
  REQUIRE(string(request.body) == "hello");
  for (std::size_t i = 0; i < body_padding; ++i) REQUIRE(request.body.data()[5 + i] == 0);
  REQUIRE(request.headers.size() == 3);
  REQUIRE(find_header(request.headers, "host") == "other.example");
  REQUIRE(find_header(request.headers, "ts-lb") == "nodekey:forged");
  REQUIRE(server.session.unreleased_bytes() == 5);
  server.session.release(request.stream);
  REQUIRE(server.session.unreleased_bytes() == 0);
  server.session.release(request.stream);  // a second one changes nothing
  REQUIRE(server.session.unreleased_bytes() == 0);
}

TEST_CASE("arguments, bodies on GET, trailers (H2-13)") {
  Server server;
  const Request ssh = server.ask(request(1, "GET", "/machine/ssh/action/12/to/34", ""));
  REQUIRE(ssh.args[0] == "12");
  REQUIRE(ssh.args[1] == "34");
  REQUIRE(ssh.body.empty());
  const Request tka = server.ask(request(3, "GET", "/machine/tka/bootstrap", "{\"NodeKey\":\"\"}"));
  REQUIRE(string(tka.body) == "{\"NodeKey\":\"\"}");
  const Request with_trailers =
      server.ask(request_head(5, "POST", "/machine/map") + frame(data, 0, 5, ts2021::test::buffer("x")) +
                 frame(headers, end_headers | end_stream, 5, literal("late", "yes")));
  REQUIRE(string(with_trailers.body) == "x");
  REQUIRE(with_trailers.headers.empty());
}

TEST_CASE("an answer is one HEADERS and its DATA; HEAD gets no body") {
  Pair pair;
  const auto id = pair.client.request({.authority = "a.example", .path = "/machine/register"}, share("{}"));
  REQUIRE(id);
  pair.run();
  const Request request = pair.take_request();
  REQUIRE(find_header(request.headers, "content-length") == "2");
  const Header more[] = {{"Retry-After", "5"}};
  REQUIRE(pair.server.respond(request.stream, {429, "text/plain", more}, share("slow down")));
  REQUIRE_FALSE(pair.server.respond(request.stream, {200, "", {}}, nullptr));
  pair.server.release(request.stream);
  pair.run();
  {
    const auto event = pair.client.next_event();
    REQUIRE(event);
    const auto& head = std::get<ClientHead>(*event);
    REQUIRE(head.status == 429);
    REQUIRE(find_header(head.headers, "retry-after") == "5");
    REQUIRE(find_header(head.headers, "content-length") == "9");
    REQUIRE(find_header(head.headers, "date").empty());
  }
  REQUIRE(pair.received() == "slow down|end");
  REQUIRE(pair.server.open_streams() == 0);
  REQUIRE_FALSE(pair.server.next_event());

  REQUIRE(pair.client.request({.method = "HEAD", .authority = "a", .path = "/machine/ssh/action/1/to/2"},
                              nullptr));
  pair.run();
  const Request head = pair.take_request();
  REQUIRE(head.method == Method::head);
  REQUIRE(pair.server.respond(head.stream, {200, "text/plain", {}}, share("body")));
  pair.server.release(head.stream);
  pair.run();
  {
    const auto event = pair.client.next_event();
    REQUIRE(find_header(std::get<ClientHead>(*event).headers, "content-length") == "4");
  }
  REQUIRE(pair.received() == "|end");

  REQUIRE(pair.client.request({.authority = "a", .path = "/machine/map"}, share("{}")));
  pair.run();
  const Request empty = pair.take_request();
  REQUIRE(pair.server.respond(empty.stream, {204, "", {}}, nullptr));
  pair.run();
  {
    const auto event = pair.client.next_event();
    const auto& answer = std::get<ClientHead>(*event);
    REQUIRE(answer.status == 204);
    REQUIRE(answer.headers.empty());
  }
}

TEST_CASE("404 and 405 are answered without an event (H2-10, H2-11, row 76)") {
  Pair pair;
  const auto ask = [&pair](std::string_view method, std::string_view path, SharedBytes body) {
    REQUIRE(pair.client.request({.method = method, .authority = "a", .path = path}, std::move(body)));
    pair.run();
    REQUIRE_FALSE(pair.server.next_event());
    REQUIRE(pair.server.open_streams() == 0);
    REQUIRE(pair.server.unreleased_bytes() == 0);
  };
  const std::string not_found = "404 text/plain; charset=utf-8|not found\n|end";
  ask("POST", "/nowhere", share("body"));
  REQUIRE(pair.received() == not_found);
  ask("GET", "/key", nullptr);  // a route of the other site
  REQUIRE(pair.received() == not_found);
  ask("OPTIONS", "*", nullptr);
  REQUIRE(pair.received() == not_found);
  ask("GET", "/machine/map", share("{}"));
  {
    const auto event = pair.client.next_event();
    REQUIRE(find_header(std::get<ClientHead>(*event).headers, "allow") == "POST");
  }
  REQUIRE(pair.received() == "method not allowed\n|end");
  ask("PUT", "/machine/tka/bootstrap", nullptr);
  {
    const auto event = pair.client.next_event();
    REQUIRE(std::get<ClientHead>(*event).status == 405);
    REQUIRE(find_header(std::get<ClientHead>(*event).headers, "allow") == "GET, HEAD");
  }
  (void)pair.received();
  ask("HEAD", "/nowhere", nullptr);
  REQUIRE(pair.received() == "404 text/plain; charset=utf-8||end");
}

TEST_CASE("an answer before the body has ended is followed by RST_STREAM(NO_ERROR) (H2-11)") {
  Server server;
  REQUIRE(server.feed(request_head(1, "POST", "/nowhere") + frame(data, 0, 1, Buffer(1000, 'x'))));
  auto out = server.output();
  REQUIRE(out.size() == 3);
  REQUIRE(out[0].type == headers);
  REQUIRE(out[1].type == data);
  REQUIRE(out[1].flags == end_stream);
  REQUIRE(out[2].type == rst);
  REQUIRE(out[2].code() == 0);
  REQUIRE(server.session.open_streams() == 0);
  // What the client had sent before it saw that is ignored.
  REQUIRE(server.feed(frame(data, 0, 1, Buffer(1000, 'x')) + frame(data, end_stream, 1)));
  REQUIRE(server.output().empty());
}

TEST_CASE("a pushed message of up to 4,068 bytes is one DATA frame, a longer one is cut there (H2-6)") {
  Server server;
  const StreamId stream = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  server.session.release(stream);
  REQUIRE(server.session.start_stream(stream, {200, "", {}}));
  const auto sizes = [&server, stream](std::vector<SharedBytes> pieces) {
    const auto pushed = server.session.push(stream, pieces);
    REQUIRE(pushed);
    REQUIRE(*pushed);
    Sink sink;
    REQUIRE(server.session.drain_to(sink.sink()));
    std::vector<std::size_t> out;
    std::string all;
    for (const Frame& f : frames(sink.bytes)) {
      if (f.type != data) continue;
      REQUIRE(f.flags == 0);
      out.push_back(f.payload.size());
      all += string(f.payload);
    }
    std::string expected;
    for (const SharedBytes& piece : pieces) expected += string(*piece);
    REQUIRE(all == expected);
    REQUIRE(sink.appends >= out.size());
    REQUIRE(server.next<StreamWritable>().stream == stream);
    return out;
  };
  using Sizes = std::vector<std::size_t>;
  REQUIRE(sizes({share("x")}) == Sizes{1});
  REQUIRE(sizes({filled(4068, 'a')}) == Sizes{4068});
  REQUIRE(sizes({share("head"), filled(4064, 'b')}) == Sizes{4068});
  REQUIRE(sizes({filled(4069, 'c')}) == Sizes{4068, 1});
  REQUIRE(sizes({filled(3, 'd'), filled(10'000, 'e'), filled(2, 'f')}) == Sizes{4068, 4068, 1869});
  std::vector<SharedBytes> tiny(4000, share("t"));
  REQUIRE(sizes(tiny) == Sizes{4000});
}

TEST_CASE("one message at a time; end of stream on an empty frame") {
  Server server;
  const StreamId stream = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  REQUIRE(server.session.push(stream, {}).error().code == Errc::misuse);
  REQUIRE(server.session.start_stream(stream, {200, "", {}}));
  REQUIRE(server.session.start_stream(stream, {200, "", {}}).error().code == Errc::misuse);
  const SharedBytes one = share("one"), two = share("two");
  REQUIRE(*server.session.push(stream, std::span(&one, 1)));
  REQUIRE_FALSE(*server.session.push(stream, std::span(&two, 1)));
  REQUIRE_FALSE(server.session.next_event());
  auto out = server.output();
  REQUIRE(string(find(out, data, 1)->payload) == "one");
  REQUIRE(server.next<StreamWritable>().stream == stream);
  REQUIRE(one.use_count() == 1);
  REQUIRE(*server.session.push(stream, {}));  // an empty message has left at once
  REQUIRE(server.next<StreamWritable>().stream == stream);
  REQUIRE(*server.session.push(stream, std::span(&two, 1)));
  (void)server.output();
  REQUIRE(server.session.end_stream(stream));
  REQUIRE(server.session.end_stream(stream).error().code == Errc::misuse);
  REQUIRE(server.session.push(stream, std::span(&two, 1)).error().code == Errc::misuse);
  out = server.output();
  REQUIRE(out.size() == 1);
  REQUIRE(out[0].flags == end_stream);
  REQUIRE(out[0].payload.empty());
  REQUIRE(server.session.open_streams() == 0);
  REQUIRE_FALSE(server.session.next_event());
  server.session.release(stream);
  REQUIRE(server.session.respond(stream, {200, "", {}}, nullptr).error().code == Errc::misuse);
}

TEST_CASE("end of stream travels with the last bytes when they are still there") {
  Server server;
  const StreamId stream = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  REQUIRE(server.session.start_stream(stream, {200, "", {}}));
  const SharedBytes piece = share("last");
  REQUIRE(*server.session.push(stream, std::span(&piece, 1)));
  REQUIRE(server.session.end_stream(stream));
  const auto out = server.output();
  REQUIRE(find(out, data, 1)->flags == end_stream);
  REQUIRE(string(find(out, data, 1)->payload) == "last");
}

TEST_CASE("a push allocates nothing once the stream has had one") {
  Server server;
  const StreamId stream = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  server.session.release(stream);
  REQUIRE(server.session.start_stream(stream, {200, "", {}}));
  const std::vector<SharedBytes> pieces{share("head"), filled(300, 'x'), share("tail")};
  std::size_t taken = 0;
  const FrameSink sink{&taken, [](void* self, std::span<const Bytes> parts) noexcept {
                         for (const Bytes part : parts) *static_cast<std::size_t*>(self) += part.size();
                         return true;
                       }};
  std::size_t before = 0;
  for (int i = 0; i < 1000; ++i) {
    if (i == 1) before = allocation_count();
    const auto pushed = server.session.push(stream, pieces);
    if (!pushed || !*pushed || !server.session.drain_to(sink) || !server.session.next_event())
      FAIL("push " << i);
  }
  REQUIRE(allocation_count() == before);
  REQUIRE(taken > 308'000);
}

TEST_CASE("cancelled streams: told once the request was taken, forgotten before") {
  Server server;
  REQUIRE(server.feed(request(1, "POST", "/machine/map", "{}") + frame(rst, 0, 1, u32(8))));
  REQUIRE_FALSE(server.session.next_event());
  REQUIRE(server.session.unreleased_bytes() == 0);

  const Request request3 = server.ask(request(3, "POST", "/machine/map", "{}"));
  REQUIRE(server.session.start_stream(request3.stream, {200, "", {}}));
  const SharedBytes piece = filled(10'000, 'x');
  REQUIRE(*server.session.push(request3.stream, std::span(&piece, 1)));
  REQUIRE(server.feed(frame(rst, 0, 3, u32(8))));
  const auto gone = server.next<StreamClosed>();
  REQUIRE(gone.stream == request3.stream);
  REQUIRE(gone.why.code == Errc::stream_reset);
  REQUIRE(gone.why.detail == 8);
  REQUIRE(piece.use_count() == 1);
  REQUIRE(string(request3.body) == "{}");  // views live until release()
  REQUIRE(server.session.unreleased_bytes() == 2);
  REQUIRE(server.session.push(request3.stream, std::span(&piece, 1)).error().code == Errc::misuse);
  server.session.release(request3.stream);
  REQUIRE(server.session.unreleased_bytes() == 0);
  REQUIRE_FALSE(server.session.next_event());

  const Request request5 = server.ask(request(5, "POST", "/machine/map", "{}"));
  (void)server.output();
  server.session.reset_stream(request5.stream);
  server.session.reset_stream(request5.stream);
  const auto out = server.output();
  REQUIRE(out.size() == 1);
  REQUIRE(out[0].type == rst);
  REQUIRE(out[0].code() == 2);
  REQUIRE_FALSE(server.session.next_event());
  server.session.release(request5.stream);
  REQUIRE(server.session.open_streams() == 0);
}

TEST_CASE("a reset while the sink holds up a frame of the stream") {
  Server server;
  const StreamId stream = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  const StreamId other = server.ask(request(3, "POST", "/machine/map", "{}")).stream;
  REQUIRE(server.session.start_stream(stream, {200, "", {}}));
  (void)server.output();
  const SharedBytes piece = filled(100, 'x');
  REQUIRE(*server.session.push(stream, std::span(&piece, 1)));
  Sink full;
  full.room = 0;
  REQUIRE(server.session.drain_to(full.sink()));
  REQUIRE(server.session.wants_output());
  REQUIRE(server.feed(frame(rst, 0, 1, u32(8))));
  REQUIRE(server.session.respond(other, {200, "", {}}, share("fine")));
  const auto out = server.output();
  REQUIRE(find(out, data, 1) == nullptr);
  REQUIRE(string(find(out, data, 3)->payload) == "fine");
  REQUIRE(piece.use_count() == 1);
}

TEST_CASE("draining: GOAWAY, open streams go on, newer ones are ignored (H2-15)") {
  Server server;
  const StreamId stream = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  server.session.drain();
  server.session.drain();
  auto out = server.output();
  REQUIRE(out.size() == 1);
  REQUIRE(out[0].type == goaway);
  REQUIRE(out[0].payload == u32(1) + u32(0));
  REQUIRE(server.feed(request(3, "POST", "/machine/map", "{}")));
  REQUIRE_FALSE(server.session.next_event());
  REQUIRE_FALSE(server.session.finished());
  REQUIRE(server.session.respond(stream, {200, "", {}}, share("bye")));
  out = server.output();
  REQUIRE(string(find(out, data, 1)->payload) == "bye");
  REQUIRE(server.session.finished());
}

TEST_CASE("a client that is going away keeps its open streams (H2-15)") {
  Server server;
  const StreamId stream = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  REQUIRE(server.feed(frame(goaway, 0, 0, u32(0) + u32(0))));
  REQUIRE_FALSE(server.session.finished());
  REQUIRE(server.session.respond(stream, {200, "", {}}, share("bye")));
  REQUIRE(find(server.output(), data, 1) != nullptr);
  REQUIRE(server.session.finished());
}

TEST_CASE("heads of answers are checked: control characters and bulk are refused") {
  Server server;
  const StreamId stream = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  const Header evil[] = {{"location", "a\r\nset-cookie: b"}};
  REQUIRE(server.session.respond(stream, {302, "", evil}, nullptr).error().code == Errc::misuse);
  const std::string big(9000, 'x');
  const Header bulky[] = {{"x", big}};
  REQUIRE(server.session.respond(stream, {200, "", bulky}, nullptr).error().code == Errc::limit_exceeded);
  REQUIRE(server.session.respond(stream, {42, "", {}}, nullptr).error().code == Errc::misuse);
  REQUIRE(server.session.respond(stream, {200, "", {}}, nullptr));
  REQUIRE(find(server.output(), headers, 1)->flags == (end_headers | end_stream));
}

TEST_CASE("a sink with little room gets every frame once and in order") {
  const auto drive = [](std::size_t frames_at_a_time) {
    Server server;
    Buffer out;
    const auto drain_slowly = [&] {
      for (int round = 0; round < 10'000 && server.session.wants_output(); ++round) {
        struct Few {
          Buffer* out;
          std::size_t left;
        } few{&out, frames_at_a_time};
        const FrameSink sink{&few, [](void* self, std::span<const Bytes> pieces) noexcept {
                               Few& f = *static_cast<Few*>(self);
                               if (f.left == 0) return false;
                               --f.left;
                               for (const Bytes piece : pieces) append(*f.out, piece);
                               return true;
                             }};
        REQUIRE(server.session.drain_to(sink));
      }
      REQUIRE_FALSE(server.session.wants_output());
    };
    const StreamId map = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
    const StreamId other = server.ask(request(3, "POST", "/machine/map", "{}")).stream;
    REQUIRE(server.session.start_stream(map, {200, "", {}}));
    const std::vector<SharedBytes> pieces{share("head"), filled(20'000, 'x'), share("tail")};
    REQUIRE(*server.session.push(map, pieces));
    REQUIRE(server.session.respond(other, {200, "", {}}, filled(5000, 'y')));
    REQUIRE(server.feed(frame(ping, 0, 0, Buffer(8, 1)) + request(5, "GET", "/nowhere", "")));
    drain_slowly();
    std::string streams[4];
    std::size_t pings = 0;
    for (const Frame& f : frames(out)) {
      if (f.type == data) streams[f.stream / 2] += string(f.payload);
      if (f.type == ping) ++pings;
    }
    REQUIRE(pings == 1);
    return streams[0] + "|" + streams[1] + "|" + streams[2];
  };
  const std::string whole = drive(1'000'000);
  REQUIRE(whole.size() == 4 + 20'000 + 4 + 1 + 5000 + 1 + 10);
  for (const std::size_t k : {1U, 2U, 3U, 7U}) REQUIRE(drive(k) == whole);
}

TEST_CASE("a sink that refuses by size never gets half a frame") {
  Server server;
  const StreamId map = server.ask(request(1, "POST", "/machine/map", "{}")).stream;
  REQUIRE(server.session.start_stream(map, {200, "", {}}));
  const SharedBytes piece = filled(50'000, 'x');
  REQUIRE(*server.session.push(map, std::span(&piece, 1)));
  Sink sink;
  std::size_t rounds = 0;
  for (; server.session.wants_output(); ++rounds) {
    sink.room = 4077;
    REQUIRE(server.session.drain_to(sink.sink()));
    REQUIRE(rounds < 100);
  }
  REQUIRE(sink.largest_append == 4077);  // a full DATA frame and its head: one record
  std::size_t size = 0;
  for (const Frame& f : frames(sink.bytes))
    if (f.type == data) size += f.payload.size();
  REQUIRE(size == 50'000);
}

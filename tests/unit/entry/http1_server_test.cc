// SPDX-License-Identifier: BSD-3-Clause
#include <filesystem>

#include "http_peer.h"

using namespace ts2021;
using namespace ts2021::entry;

namespace {

std::string own(std::string_view line, std::string_view text, std::string_view more = {},
                std::string_view end = "Connection: close\r\n") {
  return "HTTP/1.1 " + std::string(line) +
         "\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n" +
         std::string(more) + "Content-Length: " + std::to_string(text.size() + 1) + "\r\n" +
         std::string(end) + "\r\n" + std::string(text) + "\n";
}

const std::string bad = own("400 Bad Request", "bad request");

// What the server writes to these bytes; it must have raised nothing and be finished.
std::string refusal(std::string_view bytes) {
  HttpPeer peer;
  peer.feed(bytes);
  CHECK_FALSE(peer.server.next_event());
  CHECK(peer.server.finished());
  CHECK_FALSE(peer.server.wants_input());
  return peer.written();
}

std::string transcript(const test::Chunks& chunks) {
  HttpPeer peer;
  Log log;
  for (const auto& chunk : chunks) {
    peer.server.feed(chunk);
    serve(peer, log);
  }
  peer.server.feed_end();
  serve(peer, log);
  return log.text() + (peer.server.finished() ? "finished" : "");
}

constexpr std::string_view post_head = "POST /machine/ab HTTP/1.1\r\nHost: x\r\n";

}  // namespace

TEST_CASE("heads of real clients, cut anywhere (ENT-3: origin and absolute form)") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::vector_path("http_upgrade"))) {
    if (entry.path().extension() != ".http") continue;
    ++files;
    INFO(entry.path().filename().string());
    const auto bytes = test::read_file(entry.path().string());
    const std::string log = transcript({bytes});
    if (entry.path().filename().string().starts_with("upgrade")) {
      REQUIRE(log.starts_with("upgrade POST? "));
    } else {
      REQUIRE(log.starts_with("route 1 GET /key?"));
      REQUIRE(log.find("\r\n\r\nok /key") != std::string::npos);
    }
    test::cut_anywhere(bytes, transcript);
  }
  REQUIRE(files >= 7);
}

TEST_CASE("a request, its views and its answer") {
  HttpPeer peer;
  REQUIRE(peer.server.idle());
  peer.feed("GET /key?v=138&x HTTP/1.1\r\nHost: h\r\nX-Y:  Z z \r\n\r\n");
  REQUIRE_FALSE(peer.server.idle());
  const Request request = peer.request();
  REQUIRE(request.stream == StreamId{1});
  REQUIRE(request.site == Site::outer);
  REQUIRE(request.route == RouteId{1});
  REQUIRE(request.query == "v=138&x");
  REQUIRE(find_header(request.headers, "x-y") == "Z z");
  REQUIRE(request.headers[1].name == "x-y");
  REQUIRE(request.body.empty());
  const Header more[] = {{"Cache-Control", "no-store"}};
  REQUIRE(peer.server.respond(request.stream, {200, "application/json", more}, share("{}")));
  peer.server.release(request.stream);
  REQUIRE(peer.written() ==
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
          "Content-Length: 2\r\n\r\n{}");
  REQUIRE(peer.server.idle());
  REQUIRE_FALSE(peer.server.finished());
}

TEST_CASE("keep-alive, pipelining and every kind of body, cut anywhere") {
  const std::string input =
      "GET /key HTTP/1.1\r\nHost: a\r\n\r\n"
      "\r\n"
      "POST /machine/one HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\ngone"
      "POST /machine/two/map HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3;x=\"y\"\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"
      "HEAD /key HTTP/1.1\r\nHost: a\r\n\r\n"
      "DELETE /both HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /machine/three HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
      "GET /key HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string ok_head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ";
  const std::string expected =
      "route 1 GET /key? {} [host=a] body \n"
      "route 2 POST /machine/one? {one} [host=a] [content-length=5] body 68656c6c6f\n"
      "route 3 POST /machine/two/map? {two} [host=a] [transfer-encoding=Chunked] body "
      "61626330313233343536373839\n"
      "route 1 HEAD /key? {} [host=a] body \n"
      "route 2 POST /machine/three? {three} [host=a] [content-length=0] [connection=close] body \n"
      "--\n" +
      ok_head + "7\r\n\r\nok /key" + ok_head + "15\r\n\r\nok /machine/one" +
      own("404 Not Found", "not found", {}, {}) +
      "HTTP/1.1 200 OK\r\nContent-Type: application/x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "6\r\npiece0\r\n6\r\npiece1\r\n6\r\npiece2\r\n0\r\n\r\n" +
      ok_head + "7\r\n\r\n" +
      own("405 Method Not Allowed", "method not allowed", "Allow: PUT, GET, HEAD\r\n", {}) + ok_head +
      "17\r\nConnection: close\r\n\r\nok /machine/three"
      "finished";
  REQUIRE(transcript({test::buffer(input)}) == expected);
  test::cut_anywhere(as_bytes(input), transcript);
}

TEST_CASE("ENT-11: own answers, 404 and 405 with Allow") {
  HttpPeer peer;
  peer.feed("GET /machine/register/inner HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(peer.written() == own("404 Not Found", "not found", {}, {}));
  peer.feed("POST /key HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(peer.written() == own("405 Method Not Allowed", "method not allowed", "Allow: GET, HEAD\r\n", {}));
  peer.feed("BREW /machine/x HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(peer.written() == own("405 Method Not Allowed", "method not allowed", "Allow: POST\r\n", {}));
  peer.feed("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = peer.written();
  REQUIRE(head.ends_with("Content-Length: 10\r\n\r\n"));
  REQUIRE_FALSE(peer.server.finished());
}

TEST_CASE("refused requests with bodies: read and go on, or close when that is too much") {
  HttpPeer peer;
  peer.feed("POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n");
  REQUIRE(peer.written().empty());
  REQUIRE(peer.server.in_body());
  peer.feed("\r\n");
  REQUIRE(peer.written() == own("404 Not Found", "not found", {}, {}));
  REQUIRE(peer.server.idle());
  REQUIRE(refusal("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n") ==
          own("404 Not Found", "not found"));
  REQUIRE(refusal("POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n") ==
          own("404 Not Found", "not found"));
  HttpPeer chunked;
  chunked.feed("POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 17; ++i) chunked.feed("1000\r\n" + std::string(4096, 'x') + "\r\n");
  REQUIRE(chunked.written() == own("404 Not Found", "not found"));
  REQUIRE(chunked.server.finished());
}

TEST_CASE("row 85: a body above its route's limit is 413, before it is read") {
  const std::string large = own("413 Content Too Large", "request body too large");
  REQUIRE(refusal("POST /machine/ab HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n") == large);
  REQUIRE(refusal("POST /machine/ab HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999999999\r\n\r\n") ==
          large);
  REQUIRE(refusal("GET /key HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n") == large);
  const std::string chunked = "POST /machine/a/map HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  REQUIRE(refusal(chunked + "3e9\r\n") == large);
  REQUIRE(refusal(chunked + "3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\n") == large);
  REQUIRE(refusal(chunked + "ffffffffffffffff\r\n") == large);
  HttpPeer peer;
  peer.feed(chunked + "3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n");
  REQUIRE(peer.request().body.size() == 1000);
}

TEST_CASE("a body of a mebibyte in small parts") {
  HttpPeer peer;
  peer.feed("POST /machine/ab HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n");
  REQUIRE(peer.server.in_body());
  const std::string part(1000, 'q');
  std::size_t left = 1 << 20;
  for (; left >= part.size(); left -= part.size()) peer.feed(part);
  REQUIRE_FALSE(peer.server.next_event());
  peer.feed(part.substr(0, left));
  const Request request = peer.request();
  REQUIRE(request.body.size() == 1 << 20);
  REQUIRE(std::all_of(request.body.begin(), request.body.end(), [](auto byte) { return byte == 'q'; }));
}

TEST_CASE("ENT-9, row 18: a head of 16 KiB or 100 headers passes, more is 431") {
  const std::string large = own("431 Request Header Fields Too Large", "request head too large");
  const auto head_of = [](std::size_t size) {
    std::string head = "GET /key HTTP/1.1\r\nHost: a\r\nX: ";
    return head + std::string(size - head.size() - 4, 'x') + "\r\n\r\n";
  };
  HttpPeer peer;
  peer.feed(head_of(16 << 10));
  REQUIRE(peer.request().route == RouteId{1});
  REQUIRE(refusal(head_of((16 << 10) + 1)) == large);
  REQUIRE(refusal("POST /ts2021 HTTP/1.1\r\nX-Tailscale-Handshake: " + std::string(1 << 20, 'A')) == large);
  REQUIRE(refusal(std::string(16385, 'A')) == large);
  std::string many = "GET /key HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 99; ++i) many += "A: b\r\n";
  HttpPeer hundred;
  hundred.feed(many + "\r\n");
  REQUIRE(hundred.request().headers.size() == 100);
  REQUIRE(refusal(many + "A: b\r\n\r\n") == large);
}

TEST_CASE("ENT-10: heads with two readings or broken syntax are 400") {
  const std::string get = "GET /key HTTP/1.1\r\nHost: a\r\n";
  const std::string cases[] = {
      get + "X: a\r\n b\r\n\r\n",
      get + "X: a\r\n\tb\r\n\r\n",
      get + " X: a\r\n\r\n",
      get + "X : a\r\n\r\n",
      get + "X\r\n\r\n",
      get + ": a\r\n\r\n",
      get + std::string("X: a\0b\r\n\r\n", 10),
      get + "X: a\x01\r\n\r\n",
      get + "X: a\x7f\r\n\r\n",
      get + "X: a\rb\r\n\r\n",
      "GET /key HTTP/1.1\nHost: a\n\n",
      get + "X: a\n\r\n",
      get + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
      get + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
      get + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
      get + "Content-Length: 1, 1\r\n\r\n",
      get + "Content-Length: +1\r\n\r\n",
      get + "Content-Length: -1\r\n\r\n",
      get + "Content-Length: 0x1\r\n\r\n",
      get + "Content-Length: \r\n\r\n",
      get + "Content-Length: 18446744073709551616\r\n\r\n",
      get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET /key HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
      get + "Host: b\r\n\r\n",
      "GET /key HTTP/1.1\r\nX: y\r\n\r\n",
      "GET /key HTTP/1.2\r\nHost: a\r\n\r\n",
      "GET /key HTTP/2.0\r\nHost: a\r\n\r\n",
      "GET /key\r\n\r\n",
      "GET  /key HTTP/1.1\r\nHost: a\r\n\r\n",
      " GET /key HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET key HTTP/1.1\r\nHost: a\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /k\x80y HTTP/1.1\r\nHost: a\x01\r\n\r\n",
      "\r\n\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      std::string("\x16\x03\x01\x02", 4),
  };
  for (const std::string& text : cases) {
    INFO(text);
    REQUIRE(refusal(text) == bad);
    test::cut_anywhere(as_bytes(text), transcript);
  }
  REQUIRE(refusal(get + "Transfer-Encoding: gzip, chunked\r\n\r\n") ==
          own("501 Not Implemented", "unsupported transfer coding"));
}

TEST_CASE("broken chunks are 400") {
  const std::string head = std::string(post_head) + "Transfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view chunk :
       {"x\r\n", "3\r\nabcd\r\n0\r\n", "3 3\r\nabc\r\n", "\r\n", "-1\r\n", "3\rabc",
        "0\r\nContent-Length: 4\r\n\r\n", "0\r\n X: y\r\n\r\n", "1\nx\r\n"}) {
    INFO(chunk);
    REQUIRE(refusal(head + std::string(chunk)) == bad);
  }
  HttpPeer endless;
  endless.feed(head + "1;x=");
  for (int i = 0; i < 10 && !endless.server.finished(); ++i) endless.feed(std::string(1000, 'y'));
  REQUIRE(endless.written() == bad);
}

TEST_CASE("ENT-12: HTTP/1.0 is served with close; its streams end with the connection") {
  HttpPeer peer;
  peer.feed("GET /key HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /key HTTP/1.0\r\n\r\n");
  const Request request = peer.request();
  peer.answer(request.stream, "k");
  REQUIRE(peer.written().ends_with("Content-Length: 1\r\nConnection: close\r\n\r\nk"));
  REQUIRE(peer.server.finished());

  HttpPeer stream;
  stream.feed("POST /machine/a/map HTTP/1.0\r\nContent-Length: 1\r\n\r\nx");
  REQUIRE(serve(stream).ends_with("Connection: close\r\n\r\npiece0piece1piece2"));
  REQUIRE(stream.server.finished());
}

TEST_CASE("ENT-12: Expect") {
  HttpPeer peer;
  peer.feed(std::string(post_head) + "Content-Length: 2\r\nExpect: 100-Continue\r\n\r\n");
  REQUIRE(peer.written() == "HTTP/1.1 100 Continue\r\n\r\n");
  peer.feed("hi");
  REQUIRE(as_text(peer.request().body) == "hi");

  HttpPeer without_body;
  without_body.feed("GET /key HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
  REQUIRE(without_body.written().empty());
  REQUIRE(without_body.request().route == RouteId{1});

  REQUIRE(refusal(std::string(post_head) + "Content-Length: 9999999\r\nExpect: 100-continue\r\n\r\n") ==
          own("413 Content Too Large", "request body too large"));
  REQUIRE(refusal(std::string(post_head) + "Expect: magic\r\n\r\n") ==
          own("417 Expectation Failed", "unsupported expectation"));
}

TEST_CASE("streams: congestion, writable, large shared bodies through a small queue") {
  HttpPeer peer(20'000);
  peer.feed("POST /machine/a/map HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  const Request request = peer.request();
  const StreamId id = request.stream;
  peer.server.release(id);
  REQUIRE(peer.server.start_stream(id, {200, {}, {}}));
  const SharedBytes large = share(std::string(100'000, 'm'));
  const SharedBytes pieces[] = {large, share("tail")};
  REQUIRE(*peer.server.push(id, pieces));
  REQUIRE(large.use_count() == 3);
  REQUIRE_FALSE(*peer.server.push(id, pieces));
  REQUIRE(large.use_count() == 3);
  peer.server.fill(peer.out);
  REQUIRE(peer.out.size() == 20'000);
  REQUIRE_FALSE(peer.server.take_writable());
  const std::string text = peer.written();
  REQUIRE(text == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a4\r\n" +
                      std::string(100'000, 'm') + "tail\r\n");
  REQUIRE(peer.server.pending() == 0);
  REQUIRE(peer.server.take_writable() == id);
  REQUIRE_FALSE(peer.server.take_writable());
  REQUIRE(large.use_count() == 2);
  REQUIRE(*peer.server.push(id, {}));
  REQUIRE(peer.written().empty());
  REQUIRE(peer.server.wants_input());
  REQUIRE(peer.server.answering());
  REQUIRE(peer.server.end_stream(id));
  REQUIRE_FALSE(peer.server.answering());
  REQUIRE(peer.written() == "0\r\n\r\n");
  REQUIRE(peer.server.idle());
}

TEST_CASE("a stream whose client has gone is finished; a whole request is still answered") {
  HttpPeer peer;
  peer.feed("POST /machine/a/map HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  const StreamId id = peer.request().stream;
  REQUIRE(peer.server.start_stream(id, {}));
  peer.server.feed_end();
  REQUIRE(peer.server.finished());
  const SharedBytes piece = share("x");
  REQUIRE(peer.server.push(id, std::span(&piece, 1)).error() == fail(Errc::misuse, 304));

  HttpPeer half;
  half.feed("GET /key HTTP/1.1\r\nHost: a\r\n\r\nGET /both HTTP/1.1\r\nHost: a\r\n\r\nGET");
  half.server.feed_end();
  REQUIRE_FALSE(half.server.finished());
  REQUIRE_FALSE(half.server.wants_input());
  REQUIRE(half.server.answering());
  const std::string log = serve(half);
  REQUIRE(log.find("ok /key") != std::string::npos);
  REQUIRE(log.ends_with("ok /both"));
  REQUIRE(half.server.finished());

  HttpPeer nothing;
  nothing.server.feed_end();
  REQUIRE(nothing.server.finished());
}

TEST_CASE("answers at the wrong time or with broken headers are misuse and change nothing") {
  HttpPeer peer;
  REQUIRE(peer.server.respond(StreamId{1}, {}, nullptr).error() == fail(Errc::misuse, 300));
  peer.feed("GET /key HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(peer.server.respond(StreamId{1}, {}, nullptr).error() == fail(Errc::misuse, 300));
  const Request request = peer.request();
  REQUIRE(peer.server.respond(StreamId{2}, {}, nullptr).error() == fail(Errc::misuse, 300));
  const Header broken[] = {{"Location", "/a\r\nSet-Cookie: b"}};
  REQUIRE(peer.server.respond(request.stream, {302, {}, broken}, nullptr).error() == fail(Errc::misuse, 301));
  REQUIRE(peer.server.respond(request.stream, {101, {}, {}}, nullptr).error() == fail(Errc::misuse, 301));
  REQUIRE(peer.server.push(request.stream, {}).error() == fail(Errc::misuse, 304));
  REQUIRE(peer.server.end_stream(request.stream).error() == fail(Errc::misuse, 305));
  REQUIRE(peer.server.start_stream(request.stream, {204, {}, {}}).error() == fail(Errc::misuse, 303));
  REQUIRE(peer.written().empty());
  REQUIRE(peer.server.respond(request.stream, {204, {}, {}}, share("dropped")));
  REQUIRE(peer.written() == "HTTP/1.1 204 No Content\r\n\r\n");
  REQUIRE(peer.server.start_stream(request.stream, {}).error() == fail(Errc::misuse, 302));
}

TEST_CASE("pipelined floods wait inside and do not multiply") {
  std::string flood;
  for (int i = 0; i < 4000; ++i) flood += "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
  HttpPeer peer;
  peer.feed(flood);
  REQUIRE(peer.server.pending() < 20'000);
  REQUIRE_FALSE(peer.server.wants_input());
  std::size_t answers = 0;
  const std::string text = peer.written();
  for (std::size_t at = 0; (at = text.find("404 Not Found", at)) != std::string::npos; ++at) ++answers;
  REQUIRE(answers == 4000);
  REQUIRE(peer.server.wants_input());

  HttpPeer deaf;
  deaf.feed("GET /key HTTP/1.1\r\nHost: a\r\n\r\n");
  const Request request = deaf.request();
  REQUIRE(deaf.server.wants_input());
  deaf.feed(flood);
  REQUIRE_FALSE(deaf.server.wants_input());
  for (int i = 0; i < 10; ++i) deaf.feed(flood);
  deaf.answer(request.stream, "k");
  REQUIRE(deaf.written().find("Connection: close") != std::string::npos);
  REQUIRE(deaf.server.finished());
}

TEST_CASE("the upgrade path: any method, rest of the bytes, refusals close") {
  HttpPeer peer;
  peer.feed(
      "GET /key HTTP/1.1\r\nHost: a\r\n\r\nPUT /ts2021?q HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\nrest of "
      "it");
  peer.answer(peer.request().stream, "k");
  REQUIRE_FALSE(peer.server.next_event());  // the answer has not left yet
  REQUIRE(peer.written().ends_with("\r\n\r\nk"));
  const UpgradeHead head = peer.upgrade();
  REQUIRE(head.method == Method::put);
  REQUIRE(head.query == "q");
  REQUIRE(head.headers.size() == 2);
  REQUIRE_FALSE(peer.server.wants_input());
  const auto rest = peer.server.take_rest();
  REQUIRE(as_text(rest) == "rest of it");
  REQUIRE(peer.server.finished());

  HttpPeer refused;
  refused.feed("POST /ts2021 HTTP/1.1\r\nHost: a\r\n\r\n");
  (void)refused.upgrade();
  const Header more[] = {{"Sec-WebSocket-Version", "13"}};
  refused.server.refuse_upgrade(400, "some text", more);
  REQUIRE(refused.written() == own("400 Bad Request", "some text", "Sec-WebSocket-Version: 13\r\n"));
  REQUIRE(refused.server.finished());
}

TEST_CASE("tiny sockets see the same conversation") {
  std::string input;
  for (int i = 0; i < 5; ++i)
    input +=
        "POST /machine/n/map HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789GET /key "
        "HTTP/1.1\r\nHost: a\r\n\r\n";
  test::tiny_socket([&](std::size_t k) {
    HttpPeer peer;
    std::string events, bytes;
    std::size_t at = 0;
    std::optional<StreamId> open;
    int pushed = 0;
    for (int quiet = 0; quiet < 3;) {
      ++quiet;
      if (at < input.size() && peer.server.wants_input()) {
        const std::string part = input.substr(at, k);
        at += part.size();
        peer.feed(part);
        quiet = 0;
      }
      if (const auto event = peer.server.next_event()) {
        const Request& request = std::get<Request>(*event);
        events += describe(request);
        quiet = 0;
        if (request.route == RouteId{3}) {
          open = request.stream;
          pushed = 0;
          REQUIRE(peer.server.start_stream(*open, {}));
          peer.server.release(*open);
        } else {
          peer.answer(request.stream, "key");
        }
      }
      if (open && pushed < 4) {
        const SharedBytes piece = share(std::string(50, static_cast<char>('a' + pushed)));
        if (*peer.server.push(*open, std::span(&piece, 1))) ++pushed;
        quiet = 0;
      } else if (open) {
        REQUIRE(peer.server.end_stream(*open));
        open.reset();
        quiet = 0;
      }
      peer.server.fill(peer.out);
      std::array<Bytes, 1> piece;
      if (peer.out.gather(piece) != 0) {
        const Bytes some = piece[0].first(std::min(k, piece[0].size()));
        bytes += as_text(some);
        peer.out.consume(some.size());
        quiet = 0;
      }
    }
    return events + bytes;
  });
}

TEST_CASE("no block of the pool: answers wait and nothing is lost") {
  test::fail_every_request([](std::size_t nth) {
    BlockPool pool(100);
    std::string text;
    {
      ByteQueue out(pool, 1 << 20);
      Http1Server server(test_routes, Http1Limits{});
      server.feed(as_bytes("GET /key HTTP/1.1\r\nHost: a\r\n\r\n"));
      const auto event = server.next_event();
      const StreamId id = std::get<Request>(*event).stream;
      REQUIRE(server.respond(id, {}, share(std::string(40'000, 'b'))));
      pool.fail_request(nth);
      server.fill(out);
      const std::size_t made = pool.requests();
      pool.fail_request(0);
      if (made < nth) return false;
      REQUIRE(server.pending() > 0);
      server.fill(out);
      REQUIRE(server.pending() == 0);
      REQUIRE(out.size() > 40'000);
    }
    REQUIRE(pool.in_use() == 0);
    return true;
  });
}

// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.h"
#include "support/support.h"
#include "ts2021/entry/http1.h"
#include "ts2021/entry/upgrade.h"

using namespace ts2021;
using namespace ts2021::entry;

namespace {

// Body parts are joined, so that the text does not depend on how the bytes were cut.
std::string news(Http1Client& client) {
  std::string log;
  while (const auto event = client.next_event()) {
    if (const auto* data = std::get_if<Http1Data>(&*event)) {
      log += as_text(data->bytes);
      continue;
    }
    if (const auto* head = std::get_if<Http1ResponseHead>(&*event)) {
      log += "<" + std::to_string(head->status);
      for (const Header& header : head->headers)
        log += " " + std::string(header.name) + "=" + std::string(header.value);
      log += ">";
    } else if (const auto* switched = std::get_if<Http1Switched>(&*event)) {
      log += "<switched";
      for (const Header& header : switched->headers)
        log += " " + std::string(header.name) + "=" + std::string(header.value);
      log += ">";
    } else {
      log += "<end>";
    }
  }
  return log;
}

struct Outcome {
  BlockPool pool{100};
  ByteQueue out{pool, 1 << 20};
  Http1Client client{Http1Limits{}};

  std::string sent() {
    std::string text;
    std::array<Bytes, 16> pieces;
    const std::size_t count = out.gather(pieces);
    for (std::size_t i = 0; i < count; ++i) text += as_text(pieces[i]);
    out.clear();
    return text;
  }
};

// The whole conversation for one answer to `method`; feed_end() after the bytes.
std::string answer(std::string_view method, const test::Chunks& chunks) {
  Outcome with;
  REQUIRE(with.client.request({method, "/key?v=1", "h"}, with.out));
  std::string log;
  for (const auto& chunk : chunks) {
    const auto fed = with.client.feed(chunk);
    log += news(with.client);
    if (!fed) return log + "error " + std::to_string(fed.error().origin);
  }
  const bool again = with.client.keep_alive();
  const auto ended = with.client.feed_end();
  log += news(with.client);
  if (!ended) return log + "error " + std::to_string(ended.error().origin);
  return log + (again ? " again" : "");
}
std::string answer(std::string_view text) { return answer("GET", {test::buffer(text)}); }

}  // namespace

TEST_CASE("requests as they are written") {
  Outcome with;
  const Header headers[] = {{"User-Agent", "u"}};
  REQUIRE(with.client.request({"GET", "http://h/key", "h:1", headers}, with.out));
  REQUIRE(with.sent() == "GET http://h/key HTTP/1.1\r\nHost: h:1\r\nUser-Agent: u\r\n\r\n");
  REQUIRE(with.client.request({}, with.out).error() == fail(Errc::misuse, 306));
  REQUIRE(with.client.feed(as_bytes("HTTP/1.1 204 No Content\r\n\r\n")));
  REQUIRE(news(with.client) == "<204><end>");
  REQUIRE(with.client.keep_alive());
  const auto body = test::buffer("box");
  REQUIRE(with.client.request({"POST", "/machine/x", "h", {}, body}, with.out));
  REQUIRE(with.sent() == "POST /machine/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nbox");
}

TEST_CASE("requests that can't be written are misuse or wait for room") {
  Outcome with;
  const Header broken[] = {{"A", "b\r\nC: d"}};
  const auto body = test::buffer("x");
  REQUIRE(with.client.request({"GET", "/a b", "h"}, with.out).error() == fail(Errc::misuse, 307));
  REQUIRE(with.client.request({"GET", "/", "h\r\n"}, with.out).error() == fail(Errc::misuse, 307));
  REQUIRE(with.client.request({"GET", "/", "h", broken}, with.out).error() == fail(Errc::misuse, 307));
  REQUIRE(with.client.request({"GET", "/", "h", {}, body}, with.out).error() == fail(Errc::misuse, 308));
  ByteQueue small(with.pool, 10);
  REQUIRE(with.client.request({"GET", "/", "h"}, small).error() == fail(Errc::limit_exceeded, 309));
  REQUIRE(small.empty());
  REQUIRE(with.out.empty());
  REQUIRE(with.client.request({"GET", "/", "h"}, with.out));
}

TEST_CASE("every framing of an answer, cut anywhere") {
  struct {
    std::string_view method, text, expected;
  } const cases[] = {
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: Y\r\n\r\nhello",
       "<200 content-length=5 x=Y>hello<end> again"},
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "<200 content-length=0><end> again"},
      {"GET", "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
       "<404 connection=close content-length=1>x<end>"},
      {"GET",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2;q\r\nef\r\n0\r\nT: r\r\n\r\n",
       "<200 transfer-encoding=chunked>abcdef<end> again"},
      {"GET", "HTTP/1.0 200 OK\r\n\r\nuntil the end", "<200>until the end<end>"},
      {"GET", "HTTP/1.1 200 OK\r\n\r\n", "<200><end>"},
      {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "<200 content-length=5><end> again"},
      {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "<304 content-length=5><end> again"},
      {"GET",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "1\r\n\r\n!",
       "<200 content-length=1>!<end> again"},
  };
  for (const auto& row : cases) {
    INFO(row.text);
    REQUIRE(answer(row.method, {test::buffer(row.text)}) == row.expected);
    test::cut_anywhere(as_bytes(row.text),
                       [&](const test::Chunks& chunks) { return answer(row.method, chunks); });
  }
}

TEST_CASE("broken and hostile answers are final errors") {
  REQUIRE(answer("SSH-2.0-x\r\n\r\n") == "error 321");
  REQUIRE(answer("HTTP/1.1 2x0 OK\r\n\r\n") == "error 321");
  REQUIRE(answer("HTTP/1.1 099 OK\r\n\r\n") == "error 314");
  REQUIRE(answer("HTTP/1.1 600 OK\r\n\r\n") == "error 314");
  REQUIRE(answer("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n") == "error 311");  // ENT-10
  REQUIRE(answer("HTTP/1.1 200 OK\nA: b\n\n") == "error 311");
  REQUIRE(answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          "error 321");
  REQUIRE(answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx") == "error 322");
  REQUIRE(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n") == "error 325");
  REQUIRE(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") ==
          "<200 transfer-encoding=chunked>error 329");
  REQUIRE(answer("HTTP/1.1 200 OK\r\nA: " + std::string(17'000, 'x')) == "error 312");  // ENT-9
  REQUIRE(answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy") ==
          "<200 content-length=1>x<end>error 310");
  std::string interim;
  for (int i = 0; i < 17; ++i) interim += "HTTP/1.1 102 Wait\r\n\r\n";
  REQUIRE(answer(interim) == "error 316");
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 101; ++i) many += "A: b\r\n";
  REQUIRE(answer(many + "\r\n") == "error 320");

  Outcome with;
  REQUIRE(with.client.request({}, with.out).error() == fail(Errc::misuse, 307));
  REQUIRE(with.client.request({"GET", "/", "h"}, with.out));
  const auto first = with.client.feed(as_bytes("nonsense\r\n\r\n"));
  REQUIRE_FALSE(first);
  REQUIRE(with.client.feed(as_bytes("HTTP/1.1 200 OK\r\n\r\n")).error() == first.error());
  REQUIRE(with.client.feed_end().error() == first.error());
  REQUIRE(with.client.request({"GET", "/", "h"}, with.out).error() == first.error());
}

TEST_CASE("an answer that ends too early is truncated") {
  REQUIRE(answer("") == "error 317");
  REQUIRE(answer("HTTP/1.1 200 OK\r\n") == "error 317");
  REQUIRE(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx") == "<200 content-length=2>xerror 330");
  REQUIRE(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n") ==
          "<200 transfer-encoding=chunked>xerror 330");
}

TEST_CASE("ENT-7, ENT-8: the answer to an upgrade, and the bytes behind it") {
  const std::string input =
      "HTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: tailscale-control-protocol\r\n\r\n"
      "HTTP noise\r\n\r\n";
  const auto drive = [](const test::Chunks& chunks) {
    Http1Client client{Http1Limits{}};
    std::string log, rest;
    for (const auto& chunk : chunks) {
      REQUIRE(client.feed(chunk));
      log += news(client);
      rest += test::string(client.take_rest());
    }
    REQUIRE_FALSE(client.keep_alive());
    return log + rest;
  };
  REQUIRE(drive({test::buffer(input)}) ==
          "<switched connection=upgrade upgrade=tailscale-control-protocol>HTTP noise\r\n\r\n");
  test::cut_anywhere(as_bytes(input), drive);
}

TEST_CASE("row 26: another status is an ordinary answer, whatever it says") {
  for (const std::string_view line : {"200 OK", "301 Moved", "307 Temporary", "502 Bad Gateway"}) {
    Http1Client client{Http1Limits{}};
    const std::string text =
        "HTTP/1.1 " + std::string(line) + "\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nno";
    REQUIRE(client.feed(as_bytes(text)));
    REQUIRE(news(client) == "<" + std::string(line.substr(0, 3)) + " location=/x content-length=2>no<end>");
  }
}

TEST_CASE("a 101 that nobody asked for is an error") {
  REQUIRE(answer("HTTP/1.1 101 Switching Protocols\r\n\r\n") == "error 315");
}

TEST_CASE("row 28: 101 and then the end is no error of HTTP; the handshake has nothing to read") {
  Http1Client client{Http1Limits{}};
  REQUIRE(client.feed(as_bytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")));
  REQUIRE(client.feed_end());
  REQUIRE(news(client) == "<switched upgrade=x>");
  REQUIRE(client.take_rest().empty());
  REQUIRE_FALSE(client.next_event());
}

TEST_CASE("row 29: silence after the upgrade request ends as truncated") {
  Http1Client client{Http1Limits{}};
  REQUIRE(client.feed_end().error() == fail(Errc::truncated, 317));
}

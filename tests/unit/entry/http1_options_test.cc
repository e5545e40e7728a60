// SPDX-License-Identifier: BSD-3-Clause
// What another site than the outer one of a control server has otherwise.
#include "http_peer.h"

using namespace ts2021;
using namespace ts2021::entry;

namespace {

struct OtherPeer : HttpPeer {
  explicit OtherPeer(const Http1Options& options) : HttpPeer(4 << 20, options) {}
  // All that is written to one request.
  std::string told(std::string_view request) {
    feed(request);
    return written();
  }
};

bool ends_with(const std::string& text, std::string_view end) {
  INFO(text);
  return text.ends_with(end);
}

std::string get(std::string_view path, std::string_view headers = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

}  // namespace

TEST_CASE("errors of an HTTP/1.1 server can be JSON (ENT-11)") {
  OtherPeer peer({.error_type = "application/json", .error_before = R"({"error":")", .error_after = R"("})"});
  const std::string unknown = peer.told(get("/none"));
  REQUIRE(unknown.starts_with("HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"));
  REQUIRE(ends_with(unknown, "Content-Length: 21\r\n\r\n{\"error\":\"not found\"}"));
  const std::string wrong = peer.told("POST /both HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
  REQUIRE(wrong.find("\r\nAllow: PUT, GET, HEAD\r\n") != std::string::npos);
  REQUIRE(ends_with(wrong, "\r\n\r\n{\"error\":\"method not allowed\"}"));
  REQUIRE(ends_with(peer.told("HEAD /none HTTP/1.1\r\nHost: h\r\n\r\n"), "Content-Length: 21\r\n\r\n"));
  REQUIRE(ends_with(peer.told("GET /key\r\n\r\n"), "{\"error\":\"bad request\"}"));
  REQUIRE(peer.server.finished());
}

TEST_CASE("without upgrades /ts2021 is a path like any other") {
  OtherPeer peer({.upgrades = false});
  REQUIRE(peer.told(get("/ts2021")).starts_with("HTTP/1.1 404 "));
  REQUIRE_FALSE(peer.server.next_event());
  REQUIRE_FALSE(peer.server.finished());
}

TEST_CASE("a bearer token is asked for before anything else") {
  OtherPeer peer({.bearer_token = "se.cret", .tell_unrouted = true});
  for (const char* header :
       {"", "Authorization: Bearer\r\n", "Authorization: Bearer \r\n", "Authorization: se.cret\r\n",
        "Authorization: Bearer se.creT\r\n", "Authorization: Bearer se.cre\r\n",
        "Authorization: Bearer se.cret2\r\n", "Authorization: Basic se.cret\r\n"}) {
    INFO(header);
    for (const char* path : {"/key", "/none", "/both", "/ts2021"}) {
      const std::string refused = peer.told(get(path, header));
      REQUIRE(refused.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
      REQUIRE(refused.find("\r\nWWW-Authenticate: Bearer\r\n") != std::string::npos);
      REQUIRE_FALSE(peer.server.next_event());
      REQUIRE_FALSE(peer.server.take_unrouted());
    }
  }
  for (const char* header : {"Authorization: Bearer se.cret\r\n", "authorization: bearer  se.cret\r\n"}) {
    peer.feed(get("/key", header));
    const Request request = peer.request();
    REQUIRE(request.path == "/key");
    peer.answer(request.stream, "ok");
    (void)peer.written();
  }
  REQUIRE(peer.told(get("/none", "Authorization: Bearer se.cret\r\n")).starts_with("HTTP/1.1 404 "));
}

TEST_CASE("some paths can be looked at without the token") {
  constexpr std::string_view open[] = {"/key", "/none"};
  OtherPeer peer({.bearer_token = "secret", .open_paths = open});
  for (const char* method : {"GET", "HEAD"}) {
    INFO(method);
    peer.feed(std::string(method) + " /key?v=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    peer.answer(peer.request().stream, "ok");
    REQUIRE(peer.written().starts_with("HTTP/1.1 200 "));
    REQUIRE(
        peer.told(std::string(method) + " /none HTTP/1.1\r\nHost: h\r\n\r\n").starts_with("HTTP/1.1 404 "));
  }
  for (const char* path : {"/both", "/key/", "/Key", "/", "/ts2021", "//key", "/%6bey"}) {
    INFO(path);
    REQUIRE(peer.told(get(path)).starts_with("HTTP/1.1 401 "));
  }
  REQUIRE(
      peer.told("PUT /key HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx").starts_with("HTTP/1.1 401 "));
  REQUIRE_FALSE(peer.server.next_event());
}

TEST_CASE("without its token a long body is not read") {
  OtherPeer peer({.bearer_token = "secret"});
  const std::string refused =
      peer.told("POST /machine/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nx");
  REQUIRE(refused.starts_with("HTTP/1.1 401 "));
  REQUIRE(peer.server.finished());
}

TEST_CASE("refused requests are told in order, cut to size, if that is wanted") {
  OtherPeer peer({.tell_unrouted = true}), silent({});
  const std::string requests = get("/none?q=1") + "DELETE /key HTTP/1.1\r\nHost: h\r\n\r\n" + get("/key") +
                               std::string(100, 'M') + " /" + std::string(3000, 'p') +
                               " HTTP/1.1\r\nHost: h\r\n\r\n";
  peer.feed(requests);
  silent.feed(requests);
  REQUIRE_FALSE(silent.server.take_unrouted());
  const auto next = [&peer] {
    const auto told = peer.server.take_unrouted();
    REQUIRE(told);
    REQUIRE(told->site == Site::outer);
    return told->method + " " + told->path;
  };
  REQUIRE(next() == "GET /none");
  REQUIRE(next() == "DELETE /key");
  REQUIRE_FALSE(peer.server.take_unrouted());
  peer.answer(peer.request().stream, "ok");
  (void)peer.written();
  REQUIRE(next() == std::string(16, 'M') + " /" + std::string(1023, 'p'));
  REQUIRE_FALSE(peer.server.take_unrouted());
}

// SPDX-License-Identifier: BSD-3-Clause
// A server under test with its queue, and a transcript of what it raised and wrote.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/entry/http1.h"

namespace ts2021::entry {

inline constexpr Route test_routes[] = {
    {RouteId{1}, Site::outer, Method::get, "/key", 0},
    {RouteId{2}, Site::outer, Method::post, "/machine/{}", 1 << 20},
    {RouteId{3}, Site::outer, Method::post, "/machine/{}/map", 1000},
    {RouteId{4}, Site::outer, Method::put, "/both", 100},
    {RouteId{5}, Site::outer, Method::get, "/both", 100},
    {RouteId{6}, Site::noise, Method::post, "/machine/register/inner", 100},
};

struct HttpPeer {
  explicit HttpPeer(std::size_t queue = 4 << 20, const Http1Options& options = {})
      : pool(1000), out(pool, queue), server(test_routes, Http1Limits{}, options) {}

  BlockPool pool;
  ByteQueue out;
  Http1Server server;

  void feed(std::string_view text) { server.feed(as_bytes(text)); }
  // Everything written since the last call.
  std::string written() {
    std::string text;
    while (true) {
      server.fill(out);
      if (out.empty()) return text;
      std::array<Bytes, 4> pieces;
      const std::size_t count = out.gather(pieces);
      std::size_t n = 0;
      for (std::size_t i = 0; i < count; ++i) {
        text += as_text(pieces[i]);
        n += pieces[i].size();
      }
      out.consume(n);
    }
  }
  Request request() {
    auto event = server.next_event();
    REQUIRE(event);
    REQUIRE(std::holds_alternative<Request>(*event));
    return std::get<Request>(*event);
  }
  UpgradeHead upgrade() {
    auto event = server.next_event();
    REQUIRE(event);
    REQUIRE(std::holds_alternative<UpgradeHead>(*event));
    return std::get<UpgradeHead>(*event);
  }
  void answer(StreamId stream, std::string_view body) {
    REQUIRE(server.respond(stream, {200, "text/plain", {}}, share(body)));
    server.release(stream);
  }
};

inline std::string describe(const Request& request) {
  std::string text = "route " + std::to_string(int{static_cast<std::uint8_t>(request.route)}) + " " +
                     std::string(ts2021::text(request.method)) + " " + std::string(request.path) + "?" +
                     std::string(request.query) + " {" + std::string(request.args[0]) + "}";
  for (const Header& header : request.headers)
    text += " [" + std::string(header.name) + "=" + std::string(header.value) + "]";
  return text + " body " + test::hex(request.body) + "\n";
}

// What was raised and what was written; how the two interleave depends on the cut.
struct Log {
  std::string events, bytes;
  [[nodiscard]] std::string text() const { return events + "--\n" + bytes; }
};

// Answers every request with its path; a route for /map gets a stream of three pieces.
inline void serve(HttpPeer& peer, Log& log) {
  while (auto event = peer.server.next_event()) {
    if (std::holds_alternative<UpgradeHead>(*event)) {
      const auto& head = std::get<UpgradeHead>(*event);
      log.events += "upgrade " + std::string(text(head.method)) + "?" + std::string(head.query) + " " +
                    std::to_string(head.headers.size()) + (head.has_body ? " body" : "") +
                    (head.http11 ? "\n" : " old\n");
      break;
    }
    const auto& request = std::get<Request>(*event);
    log.events += describe(request);
    for (std::size_t i = 0; i < body_padding; ++i)
      REQUIRE(*(request.body.data() + request.body.size() + i) == 0);
    if (request.route == RouteId{3}) {
      REQUIRE(peer.server.start_stream(request.stream, {200, "application/x", {}}));
      for (int i = 0; i < 3; ++i) {
        const SharedBytes pieces[] = {share("piece"), share(std::to_string(i))};
        const auto pushed = peer.server.push(request.stream, pieces);
        REQUIRE(pushed);
        if (!*pushed) {
          log.bytes += peer.written();
          REQUIRE(*peer.server.push(request.stream, pieces));
        }
      }
      REQUIRE(peer.server.end_stream(request.stream));
      peer.server.release(request.stream);
    } else {
      peer.answer(request.stream, "ok " + std::string(request.path));
    }
    log.bytes += peer.written();
  }
  log.bytes += peer.written();
}

inline std::string serve(HttpPeer& peer) {
  Log log;
  serve(peer, log);
  return log.text();
}

}  // namespace ts2021::entry

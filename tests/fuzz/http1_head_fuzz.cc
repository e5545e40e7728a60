// SPDX-License-Identifier: BSD-3-Clause
// HTTP/1.1 of both roles. Byte 0: bit 0 the role, the rest the size of the parts. What is seen must not
// depend on the parts.
#include <algorithm>
#include <cstdint>
#include <string>

#include "fuzz/fuzz.h"
#include "ts2021/entry/http1.h"
#include "ts2021/entry/upgrade.h"

using namespace ts2021;
using namespace ts2021::entry;

namespace {

constexpr Route routes[] = {
    {RouteId{1}, Site::outer, Method::get, "/key", 0},
    {RouteId{2}, Site::outer, Method::post, "/machine/{}", 2000},
    {RouteId{3}, Site::outer, Method::post, "/machine/{}/map", 2000},
};

// Of both logs the parts may interleave differently, so they are kept apart.
struct Log {
  std::string events, bytes;
  bool operator==(const Log&) const = default;
};

void drain(ByteQueue& queue, std::string& to) {
  std::array<Bytes, 4> pieces;
  while (const std::size_t count = queue.gather(pieces)) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      to += as_text(pieces[i]);
      size += pieces[i].size();
    }
    queue.consume(size);
  }
}

void read(std::span<const Header> headers, std::string& to) {
  for (const Header& header : headers) to.append(header.name).append("=").append(header.value).append(";");
}

// Fills a small queue and serves what was raised until nothing moves.
void serve(Http1Server& server, ByteQueue& queue, Log& log) {
  for (bool busy = true; busy;) {
    busy = false;
    server.fill(queue);
    if (!queue.empty()) busy = true;
    drain(queue, log.bytes);
    const auto event = server.next_event();
    if (!event) continue;
    busy = true;
    if (const auto* head = std::get_if<UpgradeHead>(&*event)) {
      const UpgradeVerdict verdict = read_upgrade(*head);
      log.events += "upgrade " + std::to_string(verdict.index());
      read(head->headers, log.events);
      if (const auto* refusal = std::get_if<UpgradeRefusal>(&verdict))
        server.refuse_upgrade(refusal->status, refusal->text);
      continue;
    }
    const auto& request = std::get<Request>(*event);
    log.events.append(request.path).append("?").append(request.query).append(" ");
    read(request.headers, log.events);
    log.events += as_text(request.body);
    const volatile std::uint8_t* const padding = request.body.data() + request.body.size();
    for (std::size_t i = 0; i < body_padding; ++i) TS_EXPECT(padding[i] == 0);
    if (request.route == RouteId{3}) {
      const SharedBytes piece = share("piece");
      TS_EXPECT(server.start_stream(request.stream, {}).has_value());
      TS_EXPECT(*server.push(request.stream, std::span(&piece, 1)));
      server.release(request.stream);
      TS_EXPECT(server.end_stream(request.stream).has_value());
    } else {
      TS_EXPECT(server.respond(request.stream, {}, share("answer")).has_value());
      server.release(request.stream);
    }
  }
}

Log run_server(Bytes input, std::size_t part) {
  BlockPool pool(4);
  ByteQueue queue(pool, 3000);
  Http1Server server(routes, Http1Limits{});
  Log log;
  for (; !input.empty(); input = input.subspan(std::min(part, input.size()))) {
    server.feed(input.first(std::min(part, input.size())));
    serve(server, queue, log);
    TS_EXPECT(server.pending() == 0);
  }
  const std::vector<std::uint8_t> rest = server.take_rest();
  log.events += as_text(rest);
  server.feed_end();
  serve(server, queue, log);
  TS_EXPECT(server.finished());
  return log;
}

Log run_client(Bytes input, std::size_t part, bool upgrade) {
  BlockPool pool(4);
  ByteQueue queue(pool, 3000);
  Http1Client client{Http1Limits{}};
  if (!upgrade) TS_EXPECT(client.request({"GET", "/key", "h"}, queue).has_value());
  Log log;
  const auto news = [&] {
    while (const auto event = client.next_event()) {
      if (const auto* head = std::get_if<Http1ResponseHead>(&*event)) {
        log.events += "head " + std::to_string(head->status);
        read(head->headers, log.events);
      } else if (const auto* data = std::get_if<Http1Data>(&*event)) {
        log.bytes += as_text(data->bytes);
      } else if (const auto* switched = std::get_if<Http1Switched>(&*event)) {
        log.events += "switched ";
        read(switched->headers, log.events);
        log.events += check_upgrade_answer(switched->headers) ? "good" : "bad";
      } else {
        log.events += "end";
      }
    }
    const std::vector<std::uint8_t> rest = client.take_rest();
    log.bytes += as_text(rest);
  };
  for (; !input.empty(); input = input.subspan(std::min(part, input.size()))) {
    const auto fed = client.feed(input.first(std::min(part, input.size())));
    news();
    if (fed) continue;
    log.events += "error " + std::to_string(fed.error().origin);
    return log;
  }
  if (const auto ended = client.feed_end(); !ended)
    log.events += "error " + std::to_string(ended.error().origin);
  news();
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t part = 1 + (data[0] >> 2);
  const bool is_client = (data[0] & 1) != 0, upgrade = (data[0] & 2) != 0;
  const Bytes input(data + 1, size - 1);
  const auto run = [&](std::size_t n) {
    return is_client ? run_client(input, n, upgrade) : run_server(input, n);
  };
  const Log whole = run(size);
  // Above this the limit of a chunk's head may see a different amount at a time.
  if (size < 4096) TS_EXPECT(whole == run(part));
  return 0;
}

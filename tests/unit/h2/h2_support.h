// SPDX-License-Identifier: BSD-3-Clause
// What the tests of h2 share: frames by hand, a sink, and two sessions joined in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "h2/client_session.h"
#include "h2/server_session.h"
#include "support/catch.h"
#include "support/support.h"

namespace ts2021::h2::test {

using ts2021::test::Buffer;

// Frame types and flags of RFC 9113.
inline constexpr std::uint8_t data = 0, headers = 1, priority = 2, rst = 3, settings = 4, push_promise = 5,
                              ping = 6, goaway = 7, window = 8, continuation = 9;
inline constexpr std::uint8_t end_stream = 1, ack = 1, end_headers = 4, padded = 8;

inline constexpr std::string_view magic = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct Frame {
  std::uint8_t type, flags;
  std::uint32_t stream;
  Buffer payload;
  [[nodiscard]] std::uint32_t code() const { return load_u32be(Bytes(payload).last(4)); }
};

inline void append(Buffer& out, Bytes more) { out.insert(out.end(), more.begin(), more.end()); }
inline void append(Buffer& out, std::string_view more) { append(out, as_bytes(more)); }
inline Buffer operator+(Buffer a, const Buffer& b) {
  append(a, Bytes(b));
  return a;
}

inline Buffer frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, const Buffer& payload = {}) {
  Buffer out(9);
  store_u32be(out, static_cast<std::uint32_t>(payload.size()) << 8);
  out[3] = type;
  out[4] = flags;
  store_u32be(MutableBytes(out).subspan(5), stream);
  return out + payload;
}
inline Buffer u32(std::uint32_t value) {
  Buffer out(4);
  store_u32be(out, value);
  return out;
}
inline Buffer setting(std::uint16_t id, std::uint32_t value) {
  Buffer out{static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id)};
  return out + u32(value);
}
inline Buffer preface(const Buffer& client_settings = {}) {
  return ts2021::test::buffer(magic) + frame(settings, 0, 0, client_settings);
}

// HPACK: literals without indexing and without Huffman.
inline Buffer hpack_size(std::size_t n) {
  if (n < 127) return {static_cast<std::uint8_t>(n)};
  Buffer out{127};
  for (n -= 127; n >= 128; n /= 128) out.push_back(static_cast<std::uint8_t>(128 + n % 128));
  out.push_back(static_cast<std::uint8_t>(n));
  return out;
}
inline Buffer literal(std::string_view name, std::string_view value) {
  Buffer out{0};
  out = out + hpack_size(name.size());
  append(out, name);
  out = out + hpack_size(value.size());
  append(out, value);
  return out;
}
inline Buffer head(std::string_view method, std::string_view path) {
  return literal(":method", method) + literal(":scheme", "https") + literal(":authority", "unused") +
         literal(":path", path);
}
inline Buffer request_head(std::uint32_t stream, std::string_view method, std::string_view path,
                           const Buffer& more = {}, std::uint8_t flags = 0) {
  return frame(headers, static_cast<std::uint8_t>(end_headers | flags), stream, head(method, path) + more);
}
inline Buffer request(std::uint32_t stream, std::string_view method, std::string_view path,
                      std::string_view body) {
  if (body.empty()) return request_head(stream, method, path, {}, end_stream);
  return request_head(stream, method, path) + frame(data, end_stream, stream, ts2021::test::buffer(body));
}

inline std::vector<Frame> frames(Bytes in) {
  std::vector<Frame> out;
  while (!in.empty()) {
    REQUIRE(in.size() >= 9);
    const std::size_t size = load_u32be(in) >> 8;
    REQUIRE(in.size() >= 9 + size);
    out.push_back({in[3], in[4], load_u32be(in.subspan(5)),
                   Buffer(in.begin() + 9, in.begin() + 9 + static_cast<std::ptrdiff_t>(size))});
    in = in.subspan(9 + size);
  }
  return out;
}

// Takes whole appends as long as `room` lasts.
struct Sink {
  Buffer bytes;
  std::size_t room = SIZE_MAX, appends = 0, largest_append = 0;

  FrameSink sink() noexcept { return {this, &Sink::take}; }
  Buffer take_all() { return std::exchange(bytes, {}); }

  static bool take(void* self, std::span<const Bytes> pieces) noexcept {
    Sink& sink = *static_cast<Sink*>(self);
    std::size_t size = 0;
    for (const Bytes piece : pieces) size += piece.size();
    if (size > sink.room) return false;
    sink.room -= size;
    ++sink.appends;
    sink.largest_append = std::max(sink.largest_append, size);
    for (const Bytes piece : pieces) append(sink.bytes, piece);
    return true;
  }
};

template <class Session>
Buffer drain(Session& session) {
  Sink sink;
  (void)session.drain_to(sink.sink());  // an error was seen before, or is asked for by the test itself
  return std::move(sink.bytes);
}

enum : std::uint8_t {
  route_map = 1,
  route_register = 2,
  route_ssh = 3,
  route_tka = 4,
  route_big = 5,
  route_health = 6
};
inline constexpr Route routes[] = {
    {RouteId{route_map}, Site::noise, Method::post, "/machine/map", 1 << 20},
    {RouteId{route_register}, Site::noise, Method::post, "/machine/register", 1 << 20},
    {RouteId{route_ssh}, Site::noise, Method::get, "/machine/ssh/action/{}/to/{}", 0},
    {RouteId{route_tka}, Site::noise, Method::get, "/machine/tka/bootstrap", 1000},
    {RouteId{route_big}, Site::noise, Method::post, "/big", 8 << 20},
    {RouteId{route_health}, Site::noise, Method::post, "/machine/update-health", 1 << 20},
    {RouteId{99}, Site::outer, Method::get, "/key", 0},
};

// A server that has the preface of a client who never runs out of window.
struct Server {
  explicit Server(const ServerLimits& limits = {}, const Buffer& client_settings = setting(4, 4 << 20))
      : session(routes, limits) {
    REQUIRE(session.feed(preface(client_settings) + frame(window, 0, 0, u32(1 << 30)), clock.now));
    greeting = drain(session);
  }

  Result<void> feed(const Buffer& bytes) { return session.feed(bytes, clock.now); }
  std::vector<Frame> output() { return frames(drain(session)); }
  Request ask(const Buffer& bytes) {
    REQUIRE(feed(bytes));
    const auto event = session.next_event();
    REQUIRE(event);
    REQUIRE(std::holds_alternative<Request>(*event));
    return std::get<Request>(*event);
  }
  template <class Event>
  Event next() {
    const auto event = session.next_event();
    REQUIRE(event);
    REQUIRE(std::holds_alternative<Event>(*event));
    return std::get<Event>(*event);
  }

  ts2021::test::Clock clock;
  ServerSession session;
  Buffer greeting;
};

inline const Frame* find(const std::vector<Frame>& all, std::uint8_t type, std::uint32_t stream) {
  for (const Frame& f : all)
    if (f.type == type && f.stream == stream) return &f;
  return nullptr;
}

// Moves bytes both ways until nothing moves; errors stay where they are.
struct Pair {
  explicit Pair(const ServerLimits& server_limits = {}, const ClientLimits& client_limits = {})
      : server(routes, server_limits, false, &slots), client(client_limits, &slots) {}

  void run() {
    for (int still = 0; still < 2;) {
      const Buffer to_server = drain(client);
      const Buffer to_client = drain(server);
      still = to_server.empty() && to_client.empty() ? still + 1 : 0;
      bytes_to_client += to_client.size();
      (void)server.feed(to_server, clock.now);
      (void)client.feed(to_client, clock.now);
    }
  }
  Request take_request() {
    const auto event = server.next_event();
    REQUIRE(event);
    REQUIRE(std::holds_alternative<Request>(*event));
    return std::get<Request>(*event);
  }
  // Everything that the client received of one stream, window given back; "200 text/plain|body|end".
  std::string received() {
    std::string out;
    while (const auto event = client.next_event()) {
      if (const auto* h = std::get_if<ClientHead>(&*event))
        out += std::to_string(h->status) + " " + std::string(find_header(h->headers, "content-type")) + "|";
      if (const auto* d = std::get_if<ClientData>(&*event)) {
        out += ts2021::test::string(d->bytes);
        client.release(d->stream, d->bytes.size());
      }
      if (std::holds_alternative<ClientEnd>(*event)) out += "|end";
      if (const auto* g = std::get_if<ClientGone>(&*event)) out += "|gone " + std::string(name(g->why.code));
    }
    return out;
  }

  ts2021::test::Clock clock;
  SlotPool slots;
  ServerSession server;
  ClientSession client;
  std::size_t bytes_to_client = 0;
};

}  // namespace ts2021::h2::test

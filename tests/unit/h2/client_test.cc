// SPDX-License-Identifier: BSD-3-Clause
#include "h2/client_session.h"

#include "unit/h2/h2_support.h"

using namespace ts2021;
using namespace ts2021::h2;
using namespace ts2021::h2::test;
using ts2021::test::string;

namespace {

struct Client {
  Client() : session(ClientLimits{}) { greeting = drain(session); }
  Result<void> feed(const Buffer& bytes) { return session.feed(bytes, clock.now); }
  std::uint32_t broken(const Buffer& bytes, Errc code = Errc::http2_protocol) {
    const auto fed = feed(bytes);
    REQUIRE_FALSE(fed);
    REQUIRE(fed.error().code == code);
    const auto out = frames(drain(session));
    REQUIRE(out.back().type == goaway);
    REQUIRE(session.finished());
    REQUIRE(session.request({.path = "/x"}, nullptr).error() == fed.error());
    return load_u32be(Bytes(out.back().payload).subspan(4));
  }
  template <class Event>
  Event next() {
    const auto event = session.next_event();
    REQUIRE(event);
    REQUIRE(std::holds_alternative<Event>(*event));
    return std::get<Event>(*event);
  }
  StreamId ask() {
    const auto id = session.request({.authority = "a.example:80", .path = "/machine/map"}, share("{}"));
    REQUIRE(id);
    return *id;
  }

  ts2021::test::Clock clock;
  ClientSession session;
  Buffer greeting;
};

const Buffer server_settings = frame(settings, 0, 0, setting(3, 250) + setting(4, 1 << 20));
Buffer status(std::string_view text) { return literal(":status", text); }

}  // namespace

TEST_CASE("a client begins with preface, SETTINGS and WINDOW_UPDATE (H2-1, H2-14)") {
  const Client client;
  REQUIRE(string(Bytes(client.greeting).first(24)) == magic);
  const auto out = frames(Bytes(client.greeting).subspan(24));
  REQUIRE(out.size() == 2);
  REQUIRE(out[0].type == settings);
  REQUIRE(out[0].payload == setting(2, 0) + setting(4, 4 << 20) + setting(6, 64 << 10));
  REQUIRE(out[1].type == window);
  REQUIRE(out[1].payload == u32((16 << 20) - 65'535));
}

TEST_CASE("a request and its answer, frame by frame") {
  Client client;
  const StreamId id = client.ask();
  REQUIRE(id == StreamId{1});
  auto out = frames(drain(client.session));
  REQUIRE(out.size() == 2);
  REQUIRE(out[0].type == headers);
  REQUIRE(out[0].flags == end_headers);
  REQUIRE(string(out[1].payload) == "{}");
  REQUIRE(out[1].flags == end_stream);
  REQUIRE_FALSE(client.session.settings_received());
  REQUIRE(client.feed(server_settings));
  REQUIRE(client.session.settings_received());
  REQUIRE(client.feed(frame(headers, end_headers, 1, status("103") + literal("link", "x"))));
  REQUIRE(client.feed(frame(headers, end_headers, 1, status("200") + literal("a", "b") + literal("c", ""))));
  REQUIRE(client.feed(frame(data, 0, 1, ts2021::test::buffer("he")) +
                      frame(data, 0, 1, ts2021::test::buffer("llo"))));
  {
    const auto answer = client.next<ClientHead>();
    REQUIRE(answer.stream == id);
    REQUIRE(answer.status == 200);
    REQUIRE(answer.headers.size() == 2);
    REQUIRE(find_header(answer.headers, "a") == "b");
    REQUIRE(find_header(answer.headers, "c").empty());
  }
  REQUIRE(string(client.next<ClientData>().bytes) == "hello");
  REQUIRE(client.feed(frame(data, 0, 1, ts2021::test::buffer("!")) +
                      frame(headers, end_headers | end_stream, 1, literal("trailer", "x"))));
  REQUIRE(string(client.next<ClientData>().bytes) == "!");
  REQUIRE(client.next<ClientEnd>().stream == id);
  REQUIRE_FALSE(client.session.next_event());
  REQUIRE_FALSE(client.session.finished());
}

TEST_CASE("row 77: anything but SETTINGS first, HTTP/1.1 for example, is a connection error (H2-14)") {
  REQUIRE(Client().broken(frame(ping, 0, 0, Buffer(8))) == 1);
  REQUIRE(Client().broken(frame(settings, ack, 0)) == 1);
  REQUIRE(Client().broken(ts2021::test::buffer("HTTP/1.1 400 Bad Request\r\n\r\n")) == 1);
}

TEST_CASE("row 77: server push is a connection error (H2-14)") {
  for (const bool acked : {false, true}) {
    Client client;
    const StreamId id = client.ask();
    (void)drain(client.session);
    REQUIRE(client.feed(server_settings + (acked ? frame(settings, ack, 0) : Buffer{})));
    REQUIRE(client.broken(frame(push_promise, end_headers, 1, u32(2) + head("GET", "/x"))) == 1);
    const auto gone = client.next<ClientGone>();
    REQUIRE(gone.stream == id);
    REQUIRE(gone.why.code == Errc::http2_protocol);
    REQUIRE_FALSE(client.session.next_event());
  }
}

TEST_CASE("a server's floods end the connection (H2-3, H2-9)") {
  const auto flood = [](const Buffer& one, int count) {
    Client client;
    (void)client.ask();
    (void)drain(client.session);
    REQUIRE(client.feed(server_settings));
    Buffer in;
    for (int i = 0; i < count; ++i) in = in + one;
    REQUIRE(client.broken(in, Errc::http2_flood) == 11);
  };
  flood(frame(ping, 0, 0, Buffer(8)), 100);
  flood(frame(settings, 0, 0), 100);
  flood(frame(priority, 0, 1, Buffer(5)), 1001);
  flood(frame(headers, end_headers, 1, status("103")), 1002);
  // 75 KB of header list.
  Buffer bomb = frame(headers, 0, 1, status("200"));
  for (int i = 0; i < 5; ++i)
    bomb = bomb + frame(continuation, i == 4 ? end_headers : std::uint8_t{0}, 1,
                        literal("a", std::string(15'000, 'x')));
  flood(bomb, 1);
}

TEST_CASE("resets, refusals and GOAWAY tell which requests are gone (H2-15)") {
  Client client;
  const StreamId one = client.ask(), three = client.ask(), five = client.ask();
  (void)drain(client.session);
  REQUIRE(client.feed(server_settings + frame(rst, 0, 3, u32(7))));
  auto gone = client.next<ClientGone>();
  REQUIRE(gone.stream == three);
  REQUIRE(gone.why.code == Errc::stream_reset);
  REQUIRE(gone.why.detail == 7);
  REQUIRE(client.feed(frame(goaway, 0, 0, u32(1) + u32(0))));
  gone = client.next<ClientGone>();
  REQUIRE(gone.stream == five);
  REQUIRE(gone.why.code == Errc::going_away);
  REQUIRE_FALSE(client.session.next_event());
  REQUIRE(client.session.request({.path = "/x"}, nullptr).error().code == Errc::going_away);
  REQUIRE_FALSE(client.session.finished());
  REQUIRE(client.feed(frame(headers, end_headers | end_stream, 1, status("200"))));
  REQUIRE(client.next<ClientHead>().stream == one);
  REQUIRE(client.next<ClientEnd>().stream == one);
  (void)drain(client.session);
  REQUIRE(client.session.finished());
}

TEST_CASE("RST_STREAM(NO_ERROR) behind a complete answer is no failure (H2-11)") {
  Client client;
  const auto id = client.session.request({.path = "/big"}, share(std::vector<std::uint8_t>(5 << 20)));
  REQUIRE(id);
  REQUIRE(client.feed(server_settings));
  (void)drain(client.session);
  REQUIRE(client.feed(frame(headers, end_headers, 1, status("413")) +
                      frame(data, end_stream, 1, ts2021::test::buffer("big")) + frame(rst, 0, 1, u32(0))));
  REQUIRE(client.next<ClientHead>().status == 413);
  REQUIRE(string(client.next<ClientData>().bytes) == "big");
  REQUIRE(client.next<ClientEnd>().stream == *id);
  REQUIRE_FALSE(client.session.next_event());
  (void)drain(client.session);
}

TEST_CASE("a cancelled request says nothing more and its window comes back") {
  Client client;
  const StreamId one = client.ask(), three = client.ask();
  (void)drain(client.session);
  const Buffer chunk(16'384, 'x');
  Buffer in = server_settings + frame(settings, ack, 0) + frame(headers, end_headers, 1, status("200")) +
              frame(headers, end_headers, 3, status("200"));
  for (int i = 0; i < 200; ++i) in = in + frame(data, 0, 1, chunk);
  REQUIRE(client.feed(in));
  REQUIRE(client.next<ClientHead>().stream == one);
  client.session.cancel(one);
  client.session.cancel(one);
  Buffer more;
  for (int i = 0; i < 400; ++i) more = more + frame(data, 0, 1, Buffer(13'107, 'x'));
  auto out = frames(drain(client.session));
  REQUIRE(find(out, rst, 1));
  REQUIRE(find(out, rst, 1)->code() == 8);
  REQUIRE(client.feed(more));  // still in flight when the server had not seen the reset
  REQUIRE(client.next<ClientHead>().stream == three);
  REQUIRE_FALSE(client.session.next_event());
  out = frames(drain(client.session));
  REQUIRE(find(out, window, 0));
}

TEST_CASE("a request cancelled before it left never leaves") {
  Client client;
  const StreamId one = client.ask();
  client.session.cancel(one);
  const StreamId three = client.ask();
  const auto out = frames(drain(client.session));
  REQUIRE(find(out, headers, 1) == nullptr);
  REQUIRE(find(out, data, 1) == nullptr);
  REQUIRE(find(out, headers, static_cast<std::uint32_t>(three)));
  REQUIRE_FALSE(client.session.next_event());
}

TEST_CASE("requests above the server's limit wait for it") {
  Client client;
  REQUIRE(client.feed(frame(settings, 0, 0, setting(3, 2))));
  for (int i = 0; i < 3; ++i) (void)client.ask();
  REQUIRE(find(frames(drain(client.session)), headers, 5) == nullptr);
  REQUIRE(client.feed(frame(headers, end_headers | end_stream, 1, status("200"))));
  REQUIRE(find(frames(drain(client.session)), headers, 5));
}

TEST_CASE("requests with control characters are refused") {
  Client client;
  REQUIRE(client.session.request({.path = "/a\r\nb"}, nullptr).error().code == Errc::misuse);
  REQUIRE(client.session.request({.path = ""}, nullptr).error().code == Errc::misuse);
  const Header evil[] = {{"x", "a\nb"}};
  REQUIRE(client.session.request({.path = "/", .headers = evil}, nullptr).error().code == Errc::misuse);
  REQUIRE(drain(client.session).empty());
}

TEST_CASE("the recorded answers of the official server, cut anywhere") {
  for (const std::string_view file : {"h2/v1.98.1-02.s2c", "h2/v1.24.2-01.s2c"}) {
    const Buffer all = ts2021::test::read_file(ts2021::test::vector_path(file));
    const std::size_t size =
        std::min<std::size_t>(all.size(), 3000);  // a whole prefix of frames is not needed
    ts2021::test::cut_anywhere(Bytes(all).first(size), [](const ts2021::test::Chunks& chunks) {
      Client client;
      for (int i = 0; i < 12; ++i) (void)client.ask();
      (void)drain(client.session);
      std::string seen[32];
      for (const Buffer& chunk : chunks) {
        REQUIRE(client.feed(chunk));
        while (const auto event = client.session.next_event()) {
          if (const auto* h = std::get_if<ClientHead>(&*event)) {
            std::string& out = seen[static_cast<std::size_t>(h->stream)];
            out += std::to_string(h->status);
            for (const Header& header : h->headers)
              out.append(header.name).append("=").append(header.value).append(";");
          }
          if (const auto* d = std::get_if<ClientData>(&*event)) {
            seen[static_cast<std::size_t>(d->stream)] += string(d->bytes);
            client.session.release(d->stream, d->bytes.size());
          }
          if (const auto* e = std::get_if<ClientEnd>(&*event))
            seen[static_cast<std::size_t>(e->stream)] += "|end";
        }
        (void)drain(client.session);
      }
      std::string out;
      for (const std::string& one : seen) out += one + "\n";
      REQUIRE(out.find("200") != std::string::npos);
      return out;
    });
  }
}

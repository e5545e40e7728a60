// SPDX-License-Identifier: BSD-3-Clause
// What a tracer is told: everything that passes, once and in order, on both ends.
#include <string>
#include <vector>

#include "sim/pair.h"
#include "support/catch.h"

using namespace ts2021;
using test::Pair;
using test::PairOptions;

namespace {

std::string way_text(trace::Way way) { return way == trace::Way::in ? "in " : "out "; }
std::string stream_text(StreamId stream) { return std::to_string(static_cast<int>(stream)) + " "; }
std::string site_text(Site site) { return site == Site::outer ? "outer " : "noise "; }

// One line for each event, without what belongs to one end only.
class Log final : public Tracer {
 public:
  void on(const TraceEvent& event, Now) noexcept override {
    std::visit([this](const auto& e) { note(e); }, event);
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const std::string& line : lines) all += line + "\n";
    return all;
  }

  std::vector<std::string> lines;
  std::string steps;  // of a client's way in
  trace::Closed closed{};

 private:
  void note(const trace::Opened&) { lines.emplace_back("opened"); }
  void note(const trace::Request& r) {
    lines.push_back(way_text(r.way) + "request " + site_text(r.site) + stream_text(r.stream) +
                    std::string(r.method) + " " + std::string(r.path) +
                    (r.query.empty() ? "" : "?" + std::string(r.query)) + " " + test::string(r.body));
  }
  void note(const trace::Unrouted& u) {
    lines.push_back("unrouted " + site_text(u.site) + std::string(u.method) + " " + std::string(u.path));
  }
  void note(const trace::Answer& a) {
    std::string type(a.content_type);
    if (type.empty()) type = find_header(a.headers, "content-type");
    lines.push_back(way_text(a.way) + "answer " + site_text(a.site) + stream_text(a.stream) +
                    std::to_string(a.status) + (type.empty() ? "" : " " + type));
  }
  // A message is told in as many parts as it came in.
  void note(const trace::Data& d) {
    const std::string begin = way_text(d.way) + "data " + site_text(d.site) + stream_text(d.stream);
    if (!lines.empty() && lines.back().starts_with(begin))
      lines.back() += test::string(d.bytes);
    else
      lines.push_back(begin + test::string(d.bytes));
  }
  void note(const trace::End& e) {
    lines.push_back(way_text(e.way) + "end " + site_text(e.site) + stream_text(e.stream));
  }
  void note(const trace::Gone& g) {
    lines.push_back("gone " + site_text(g.site) + stream_text(g.stream) + std::string(name(g.why.code)));
  }
  void note(const trace::UpgradeSent&) { steps += "sent "; }
  void note(const trace::UpgradeAnswer& a) {
    steps += std::to_string(a.status) + " " + std::string(find_header(a.headers, "upgrade")) + " ";
  }
  void note(const trace::Settings& s) {
    steps += "settings ";
    for (const auto& [number, value] : s.values)
      if (number == 3) steps += std::to_string(value) + " streams";
  }
  void note(const trace::Handshake& h) {
    steps += "handshake ";
    REQUIRE(h.machine == test::keys().machine.open);
    REQUIRE(h.server == test::keys().server.front().open);
    lines.push_back(std::string("handshake ") + (h.websocket ? "websocket " : "native ") +
                    std::to_string(static_cast<int>(h.version)));
  }
  void note(const trace::UpgradeRefused& r) { lines.push_back("refused " + std::to_string(r.status)); }
  void note(const trace::EarlyPayload& e) {
    lines.push_back(way_text(e.way) + "early " + test::string(e.json));
  }
  void note(const trace::Unboxed&) { FAIL("there are no boxes here"); }
  void note(const trace::Closed& c) {
    closed = c;
    lines.push_back("closed " + std::string(name(c.why.code)));
  }
};

// The other end's view of the same.
std::string turned(std::string text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    if (line.starts_with("in "))
      line = "out " + line.substr(3);
    else if (line.starts_with("out "))
      line = "in " + line.substr(4);
    out += line + "\n";
    at = end + 1;
  }
  return out;
}

struct Traced {
  Log server, client;
  PairOptions options(ClientMode mode) {
    PairOptions made;
    made.mode = mode;
    made.server_tracer = &server;
    made.client_tracer = &client;
    return made;
  }
};

constexpr std::string_view inside =
    "in request noise 1 POST /echo?a=b hello\n"
    "out answer noise 1 200 text/plain\n"
    "out data noise 1 hello\n"
    "out end noise 1 \n"
    "in request noise 3 POST /stream go\n"
    "out answer noise 3 200\n"
    "out data noise 3 <one><two>\n"
    "out end noise 3 \n";

}  // namespace

TEST_CASE("both ends tell the same of a whole life, in order") {
  for (const ClientMode mode : {ClientMode::noise, ClientMode::noise_websocket})
    test::tiny_socket([&](std::size_t chunk) {
      Traced traced;
      PairOptions options = traced.options(mode);
      options.chunk = chunk;
      Pair pair(options);
      pair.stream_messages = {"one", "two"};
      pair.run();
      pair.request("/echo?a=b", "hello");
      pair.run();
      pair.request("/stream", "go");
      pair.run();
      pair.client().close(fail(Errc::closed, 0), pair.clock.now);
      pair.run();
      pair.server().receive_end(pair.clock.now);
      pair.run();
      const bool web = mode == ClientMode::noise_websocket;
      const std::string begin = std::string("opened\nhandshake ") + (web ? "websocket" : "native") +
                                " 138\n" + (web ? "" : "out early " + options.early_payload + "\n");
      REQUIRE(traced.server.text() == begin + std::string(inside) + "closed end_of_stream\n");
      REQUIRE(traced.client.text() == turned(begin + std::string(inside)) + "closed closed\n");
      // What one end has sealed, the other has opened.
      REQUIRE(traced.server.closed.records_in == traced.client.closed.records_out);
      REQUIRE(traced.server.closed.records_out == traced.client.closed.records_in);
      REQUIRE(traced.server.closed.records_in > 2);
      return traced.server.text();
    });
}

TEST_CASE("a client is told each step of its way in, once") {
  for (const ClientMode mode : {ClientMode::noise, ClientMode::noise_websocket})
    test::tiny_socket([&](std::size_t chunk) {
      Traced traced;
      PairOptions options = traced.options(mode);
      options.chunk = chunk;
      Pair pair(options);
      pair.run();
      const std::string kind =
          mode == ClientMode::noise_websocket ? "websocket" : "tailscale-control-protocol";
      REQUIRE(traced.client.steps == "sent 101 " + kind + " handshake settings 250 streams");
      REQUIRE(traced.server.steps == "handshake ");
      return traced.client.steps;
    });
  Traced traced;
  Pair pair(traced.options(ClientMode::noise));
  pair.server_config.noise_keys = {};
  pair.run();
  REQUIRE(traced.client.steps == "sent 503  ");
}

TEST_CASE("the outer site is told, and what no route takes, also where nobody asked for it as an event") {
  Traced traced;
  Pair pair(traced.options(ClientMode::http1));
  pair.run();
  const auto get = [&pair](std::string_view method, std::string_view path) {
    REQUIRE(pair.client().request({method, path, {}}, nullptr));
    pair.run();
  };
  get("GET", "/key?v=138");
  get("GET", "/nowhere?x=1");
  get("DELETE", "/key");
  REQUIRE(traced.server.text() ==
          "opened\n"
          "in request outer 1 GET /key?v=138 \n"
          "out answer outer 1 200 text/plain\n"
          "out data outer 1 the key\n"
          "out end outer 1 \n"
          "unrouted outer GET /nowhere\n"
          "unrouted outer DELETE /key\n");
  REQUIRE(traced.client.text().find("in answer outer 2 404") != std::string::npos);
  REQUIRE(pair.requests.size() == 1);
}

TEST_CASE("what no route takes inside Noise is told, and a stream that is cancelled") {
  Traced traced;
  Pair pair(traced.options(ClientMode::noise));
  pair.run();
  pair.request("/nowhere", "x");
  pair.run();
  const StreamId held = pair.request("/hold", "");
  pair.run();
  pair.client().cancel(held);
  pair.run();
  const std::string all = traced.server.text();
  REQUIRE(all.find("unrouted noise POST /nowhere\n") != std::string::npos);
  REQUIRE(all.find("gone noise 3 stream_reset\n") != std::string::npos);
  REQUIRE(pair.gone.size() == 1);
}

TEST_CASE("an upgrade that is refused is told with its status") {
  Traced traced;
  Pair pair(traced.options(ClientMode::noise));
  pair.server_config.noise_keys = {};
  pair.run();
  REQUIRE(traced.server.lines.at(1) == "refused 503");
  REQUIRE(traced.client.lines.back() == "closed bad_upgrade");
}

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/entry/upgrade.h"

#include <filesystem>

#include "entry/base64.h"
#include "http_peer.h"

using namespace ts2021;
using namespace ts2021::entry;

namespace {

const std::string initiation_text = [] {
  std::string text(101, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(255 - i);
  return text;
}();
const std::string handshake = base64_encode(as_bytes(initiation_text));

// "400 text", "late 1008 reason", or "ok native" / "ok websocket" with the size.
std::string describe_verdict(const UpgradeVerdict& verdict) {
  if (const auto* refusal = std::get_if<UpgradeRefusal>(&verdict)) {
    std::string text = std::to_string(refusal->status) + " " + std::string(refusal->text);
    if (!refusal->extra_name.empty())
      text += " [" + std::string(refusal->extra_name) + ": " + std::string(refusal->extra_value) + "]";
    return text;
  }
  if (const auto* late = std::get_if<UpgradeLateRefusal>(&verdict))
    return "late " + std::to_string(late->code) + (late->protocol_offered ? " " : " (no protocol) ") +
           std::string(late->reason);
  const auto& request = std::get<UpgradeRequest>(verdict);
  return (request.websocket ? "ok websocket " : "ok native ") + std::to_string(request.initiation.size());
}

std::string judge(std::string_view bytes) {
  HttpPeer peer;
  peer.feed(bytes);
  return describe_verdict(read_upgrade(peer.upgrade()));
}

std::string native(std::string_view lines, std::string_view line = "POST /ts2021 HTTP/1.1") {
  return judge(std::string(line) + "\r\nHost: a\r\n" + std::string(lines) + "\r\n");
}

const std::string upgrade_line = "Upgrade: tailscale-control-protocol\r\n";
const std::string handshake_line = "X-Tailscale-Handshake: " + handshake + "\r\n";

struct WebSocketHead {
  std::string method = "GET",
              query = "X-Tailscale-Handshake=", connection = "Connection: keep-alive, Upgrade\r\n",
              version = "Sec-WebSocket-Version: 13\r\n",
              key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
              protocol = "Sec-WebSocket-Protocol: other, tailscale-control-protocol\r\n", more;
  WebSocketHead() {
    for (const char c : handshake)
      query += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3d" : std::string(1, c);
  }
  [[nodiscard]] std::string verdict() const {
    return judge(method + " /ts2021?" + query + " HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\n" +
                 connection + version + key + protocol + more + "Origin: https://anything\r\n\r\n");
  }
};

std::string text_of(const ByteQueue& out) {
  std::string text;
  std::array<Bytes, 4> pieces;
  const std::size_t count = out.gather(pieces);
  for (std::size_t i = 0; i < count; ++i) text += as_text(pieces[i]);
  return text;
}

std::vector<Header> answer_headers(std::string connection, std::string upgrade) {
  static std::string a, b;
  a = std::move(connection);
  b = std::move(upgrade);
  return {{"connection", a}, {"upgrade", b}};
}

}  // namespace

TEST_CASE("ENT-1: the upgrades of real clients, and our own request byte for byte") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::vector_path("http_upgrade"))) {
    if (!entry.path().filename().string().starts_with("upgrade")) continue;
    ++files;
    INFO(entry.path().filename().string());
    const std::string bytes = test::string(test::read_file(entry.path().string()));
    REQUIRE(judge(bytes) == "ok native 101");
    HttpPeer peer;
    peer.feed(bytes);
    const auto request = std::get<UpgradeRequest>(read_upgrade(peer.upgrade()));
    REQUIRE(request.initiation[2] == 1);
    if (bytes.find("Go-http-client") == std::string::npos) continue;
    REQUIRE(write_upgrade_request({"127.0.0.1:9944"}, request.initiation, peer.out));
    REQUIRE(text_of(peer.out) == bytes);
  }
  REQUIRE(files >= 4);
}

TEST_CASE("a small client: origin form, Host without port, own User-Agent") {
  REQUIRE(native("User-Agent: esp32\r\nConnection: Upgrade\r\n" + upgrade_line + handshake_line) ==
          "ok native 101");
}

TEST_CASE("ENT-3, row 25: absolute form that names another host") {
  REQUIRE(native("Connection: upgrade\r\n" + upgrade_line + handshake_line,
                 "POST https://other.example:1/ts2021 HTTP/1.1") == "ok native 101");
}

TEST_CASE("ENT-4: GET and missing Connection pass, the value is compared without case") {
  REQUIRE(native(upgrade_line + handshake_line, "GET /ts2021 HTTP/1.1") == "ok native 101");
  REQUIRE(native("uPGRADE: Tailscale-CONTROL-protocol\r\n" + handshake_line) == "ok native 101");
  REQUIRE(native(upgrade_line + "Upgrade: websocket\r\n" + handshake_line) == "ok native 101");
}

TEST_CASE("ENT-4: methods other than POST and GET") {
  for (const std::string method : {"PUT", "HEAD", "DELETE", "OPTIONS", "BREW"})
    REQUIRE(native(upgrade_line + handshake_line, method + " /ts2021 HTTP/1.1") ==
            "400 POST or GET required");
}

TEST_CASE("row 14: no Upgrade") {
  REQUIRE(native(handshake_line) == "400 missing next protocol");
  REQUIRE(native("Upgrade:\r\n" + handshake_line) == "400 missing next protocol");
}

TEST_CASE("row 15: another Upgrade, and a list") {
  REQUIRE(native("Upgrade: h2c\r\n" + handshake_line) == "400 unknown next protocol");
  REQUIRE(native("Upgrade: foo, tailscale-control-protocol\r\n" + handshake_line) ==
          "400 unknown next protocol");
  REQUIRE(native("Upgrade: h2c\r\n" + upgrade_line + handshake_line) == "400 unknown next protocol");
}

TEST_CASE("row 16: handshake header missing or empty") {
  REQUIRE(native(upgrade_line) == "400 missing Tailscale handshake header");
  REQUIRE(native(upgrade_line + "X-Tailscale-Handshake: \r\n") == "400 missing Tailscale handshake header");
}

TEST_CASE("row 17: bad base64") {
  const std::string cut = handshake.substr(0, handshake.size() - 1);
  std::string url = handshake;
  std::replace(url.begin(), url.end(), '+', '-');
  std::replace(url.begin(), url.end(), '/', '_');
  REQUIRE(url != handshake);
  for (const std::string& text :
       {cut, url, "AAAA " + handshake, handshake + "=", "A===" + handshake, handshake + "AAAA",
        std::string("===="), std::string("AA=A"), std::string("A")})
    REQUIRE(native(upgrade_line + "X-Tailscale-Handshake: " + text + "\r\n") ==
            "400 invalid tailscale handshake header");
}

TEST_CASE("row 19: of two handshake headers the first counts") {
  REQUIRE(native(upgrade_line + handshake_line + "X-Tailscale-Handshake: AAAA\r\n") == "ok native 101");
  REQUIRE(native(upgrade_line + "X-Tailscale-Handshake: AAAA\r\n" + handshake_line) == "ok native 3");
}

TEST_CASE("row 20: any decoded size is handed on; the handshake judges it") {
  REQUIRE(native(upgrade_line + "X-Tailscale-Handshake: AAA=\r\n") == "ok native 2");
  REQUIRE(native(upgrade_line + "X-Tailscale-Handshake: " + std::string(16'000, 'A') + "\r\n") ==
          "ok native 12000");
}

TEST_CASE("ENT-5, row 21: a body") {
  REQUIRE(native(upgrade_line + handshake_line + "Content-Length: 1\r\n") == "400 request body not allowed");
  REQUIRE(native(upgrade_line + handshake_line + "Transfer-Encoding: chunked\r\n") ==
          "400 request body not allowed");
  REQUIRE(native(upgrade_line + handshake_line + "Content-Length: 0\r\n") == "ok native 101");
  WebSocketHead head;
  head.more = "Content-Length: 1\r\n";
  REQUIRE(head.verdict() == "400 request body not allowed");
}

TEST_CASE("row 22: bytes behind the blank line are kept for the records") {
  HttpPeer peer;
  peer.feed("POST /ts2021 HTTP/1.1\r\nHost: a\r\n" + upgrade_line + handshake_line + "\r\n\x04");
  REQUIRE(std::holds_alternative<UpgradeRequest>(read_upgrade(peer.upgrade())));
  peer.feed("more");
  REQUIRE(as_text(peer.server.take_rest()) == "\x04more");
}

TEST_CASE("row 23: a slow head is neither idle nor a body, so that its deadline runs") {
  HttpPeer peer;
  REQUIRE(peer.server.idle());
  for (const char c : std::string_view("POST /ts2021 HT")) {
    peer.feed(std::string(1, c));
    REQUIRE_FALSE(peer.server.idle());
    REQUIRE_FALSE(peer.server.in_body());
  }
}

TEST_CASE("row 24, ENT-10: HTTP/2 in the clear is a bad head") {
  HttpPeer peer;
  peer.feed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  REQUIRE(peer.written().starts_with("HTTP/1.1 400 Bad Request\r\n"));
  REQUIRE(peer.server.finished());
}

TEST_CASE("ENT-12: an upgrade over HTTP/1.0") {
  REQUIRE(native(upgrade_line + handshake_line, "POST /ts2021 HTTP/1.0") == "400 upgrade needs HTTP/1.1");
}

TEST_CASE("ENT-6: the native answer, and no answer without room") {
  BlockPool pool(4);
  ByteQueue out(pool, 1000), small(pool, 50);
  REQUIRE(write_upgrade_answer(out));
  REQUIRE(text_of(out) ==
          "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "
          "tailscale-control-protocol\r\n\r\n");
  REQUIRE_FALSE(write_upgrade_answer(small));
  REQUIRE_FALSE(write_websocket_answer("k", true, small));
  REQUIRE_FALSE(write_upgrade_request({"h"}, {}, small));
  REQUIRE(small.empty());
  REQUIRE_FALSE(write_upgrade_request({""}, {}, out));
  REQUIRE_FALSE(write_upgrade_request({"a\r\nb"}, {}, out));
}

TEST_CASE("ENT-7, row 27: answers that a client refuses") {
  REQUIRE(check_upgrade_answer(answer_headers("upgrade", "tailscale-control-protocol")));
  REQUIRE(check_upgrade_answer(answer_headers("close, UPGRADE", "tailscale-control-protocol")));
  REQUIRE(check_upgrade_answer(answer_headers("upgraded", "tailscale-control-protocol")).error() ==
          fail(Errc::bad_upgrade, 340));
  REQUIRE(check_upgrade_answer({}).error() == fail(Errc::bad_upgrade, 340));
  REQUIRE(check_upgrade_answer(answer_headers("upgrade", "Tailscale-Control-Protocol")).error() ==
          fail(Errc::bad_upgrade, 341));
  REQUIRE(check_upgrade_answer(answer_headers("upgrade", "websocket")).error() ==
          fail(Errc::bad_upgrade, 341));
}

TEST_CASE("ENT-2: a WebSocket upgrade, subprotocol among several, any Origin") {
  WebSocketHead head;
  REQUIRE(head.verdict() == "ok websocket 101");
  head.query = "a=b&" + head.query + "&X-Tailscale-Handshake=AAAA";
  REQUIRE(head.verdict() == "ok websocket 101");
  head.protocol = "Sec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: tailscale-control-protocol\r\n";
  REQUIRE(head.verdict() == "ok websocket 101");
}

TEST_CASE("ENT-13: what is refused before the 101 of a WebSocket") {
  WebSocketHead head;
  head.connection = "Connection: keep-alive\r\n";
  REQUIRE(head.verdict() == "426 missing Connection: Upgrade [Upgrade: websocket]");
  head = {};
  head.method = "POST";
  REQUIRE(head.verdict() == "405 WebSocket needs GET [Allow: GET]");
  head = {};
  for (const std::string version : {"", "Sec-WebSocket-Version: 8\r\n", "Sec-WebSocket-Version: 13, 8\r\n"}) {
    head.version = version;
    REQUIRE(head.verdict() == "400 unsupported WebSocket version [Sec-WebSocket-Version: 13]");
  }
  head = {};
  head.key.clear();
  REQUIRE(head.verdict() == "400 missing Sec-WebSocket-Key");
  for (const std::string key : {"AAAA", "AAAAAAAAAAAAAAAAAAAAAA", "!!!!!!!!!!!!!!!!!!!!!!==",
                                "AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="}) {
    head.key = "Sec-WebSocket-Key: " + key + "\r\n";
    REQUIRE(head.verdict() == "400 invalid Sec-WebSocket-Key");
  }
}

TEST_CASE("ENT-14, row 30: subprotocol not offered") {
  WebSocketHead head;
  for (const std::string protocol :
       {"", "Sec-WebSocket-Protocol: other\r\n", "Sec-WebSocket-Protocol: Tailscale-Control-Protocol\r\n"}) {
    head.protocol = protocol;
    REQUIRE(head.verdict() == "late 1008 (no protocol) client must speak the control subprotocol");
  }
  head.query = "%zz";
  REQUIRE(head.verdict() == "late 1008 (no protocol) client must speak the control subprotocol");
}

TEST_CASE("ENT-14, row 31: parameter undecodable, missing, or not base64") {
  WebSocketHead head;
  const std::string good = head.query;
  for (const std::string& query :
       {std::string("X-Tailscale-Handshake=%zz"), std::string("%2"), "a;b&" + good, good + "&b=%"}) {
    head.query = query;
    REQUIRE(head.verdict() == "late 1008 Could not parse parameters");
  }
  for (const std::string query :
       {"", "X-Tailscale-Handshake", "X-Tailscale-Handshake=", "x-tailscale-handshake=AAAA"}) {
    head.query = query;
    REQUIRE(head.verdict() == "late 1008 missing Tailscale handshake parameter");
  }
  for (const std::string& query :
       {std::string("X-Tailscale-Handshake=AA+A"), "X-Tailscale-Handshake=" + handshake + "A",
        std::string("X-Tailscale-Handshake=AA-_"), std::string("X-Tailscale-Handshake=AAA")}) {
    head.query = query;
    REQUIRE(head.verdict() == "late 1008 invalid tailscale handshake parameter");
  }
}

TEST_CASE("ENT-2: our WebSocket request and answer understand each other; RFC 6455's example") {
  BlockPool pool(4);
  ByteQueue out(pool, 4000);
  const auto nonce = test::buffer("the sample nonce");  // RFC 6455, 1.3
  const std::span<const std::uint8_t, 16> key(nonce.data(), 16);
  REQUIRE(write_websocket_request({"h:80"}, as_bytes(initiation_text), key, out));
  const std::string request = text_of(out);
  REQUIRE(request.find("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") != std::string::npos);
  REQUIRE(judge(request) == "ok websocket 101");
  HttpPeer peer;
  peer.feed(request);
  const auto verdict = std::get<UpgradeRequest>(read_upgrade(peer.upgrade()));
  REQUIRE(as_text(verdict.initiation) == initiation_text);

  out.clear();
  REQUIRE(write_websocket_answer(verdict.websocket_key, true, out));
  REQUIRE(text_of(out).find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
  Http1Client client{Http1Limits{}};
  REQUIRE(client.feed(as_bytes(text_of(out))));
  const auto event = client.next_event();
  REQUIRE(event);
  const auto headers = std::get<Http1Switched>(*event).headers;
  REQUIRE(check_websocket_answer(headers, key));

  const auto refused = [&](std::size_t without, Header with) {
    std::vector<Header> changed(headers.begin(), headers.end());
    if (without < changed.size()) changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(without));
    if (!with.name.empty()) changed.push_back(with);
    return check_websocket_answer(changed, key).error();
  };
  REQUIRE(refused(0, {}) == fail(Errc::bad_upgrade, 342));
  REQUIRE(refused(1, {}) == fail(Errc::bad_upgrade, 343));
  REQUIRE(refused(2, {"sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO="}) ==
          fail(Errc::bad_upgrade, 344));
  REQUIRE(refused(3, {}) == fail(Errc::bad_upgrade, 345));
  REQUIRE(refused(9, {"sec-websocket-extensions", "permessage-deflate"}) == fail(Errc::bad_upgrade, 346));

  out.clear();
  REQUIRE(write_websocket_answer("k", false, out));
  REQUIRE(text_of(out).find("Protocol:") == std::string::npos);
}

TEST_CASE("row 88: what a proxy makes of the request is refused, not guessed") {
  REQUIRE(native("Via: 1.1 proxy\r\n" + handshake_line) == "400 missing next protocol");
  REQUIRE(native("Via: 1.1 proxy\r\n" + upgrade_line) == "400 missing Tailscale handshake header");
}

TEST_CASE("base64: every length there and back") {
  for (std::size_t n = 0; n < 200; ++n) {
    std::vector<std::uint8_t> bytes(n);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + n);
    const std::string text = base64_encode(bytes);
    REQUIRE(text.size() == (n + 2) / 3 * 4);
    const auto back = base64_decode(text);
    REQUIRE(back);
    REQUIRE(*back == bytes);
  }
  REQUIRE(base64_encode(as_bytes("foob")) == "Zm9vYg==");
  REQUIRE(base64_decode("Zm9vYh==")->size() == 4);  // unused bits are not looked at
}

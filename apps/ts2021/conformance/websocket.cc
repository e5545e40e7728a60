// SPDX-License-Identifier: BSD-3-Clause
// The WebSocket form of the upgrade, for clients in a browser.
#include <algorithm>
#include <array>

#include "ts2021/conformance/context.h"
#include "ts2021/conformance/websocket_peer.h"
#include "ts2021/entry/upgrade.h"
#include "ts2021/noise/record.h"

namespace ts2021::app::conformance {
namespace {

Outcome goes_through(Context& context) {
  const WsSession opened = open_websocket(context);
  return kept("GET /ts2021 as browsers do", "101 and message 2");
}

Outcome answer_head(Context& context) {
  std::array<std::uint8_t, 16> nonce{};
  context.entropy().fill(nonce);
  Initiation initiation = context.initiation();
  RawConnection connection = context.connect();
  BlockPool pool(4);
  ByteQueue request(pool, block_size);
  if (!entry::write_websocket_request({context.host()}, initiation.message, nonce, request))
    throw Obstacle("the request does not fit");
  std::array<Bytes, 2> pieces;
  for (std::size_t i = 0, count = request.gather(pieces); i < count; ++i) connection.send(pieces[i]);
  const HttpAnswer answer = read_answer(connection);
  std::vector<Header> headers;
  for (const auto& [name, value] : answer.headers) headers.push_back({name, value});
  const bool good = answer.status == 101 && entry::check_websocket_answer(headers, nonce).has_value();
  return kept_if(
      good && answer.header("sec-websocket-extensions").empty(), "GET /ts2021 as browsers do",
      answer.told() + ", Sec-WebSocket-Protocol: " + printable(answer.header("sec-websocket-protocol"), 40));
}

Outcome no_extension(Context& context) {
  Initiation initiation = context.initiation();
  WsHead head;
  head.protocol =
      "Sec-WebSocket-Protocol: other, tailscale-control-protocol\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  RawConnection connection = context.connect();
  connection.send(websocket_request(context, initiation.message, head));
  const HttpAnswer answer = read_answer(connection);
  const bool good = answer.status == 101 && answer.header("sec-websocket-extensions").empty() &&
                    answer.header("sec-websocket-protocol") == "tailscale-control-protocol";
  return kept_if(good, "an offer of permessage-deflate and of two subprotocols",
                 answer.told() + ", extensions: \"" +
                     printable(answer.header("sec-websocket-extensions"), 40) + "\", subprotocol: \"" +
                     printable(answer.header("sec-websocket-protocol"), 40) + "\"");
}

Outcome split_records(Context& context) {
  WsSession opened = open_websocket(context);
  // One record over three messages, and two records in one.
  std::vector<std::uint8_t> first(h2::preface.begin(), h2::preface.end());
  const auto settings = frame(h2::settings, 0, 0, {});
  const auto ping = frame(h2::ping, 0, 0, std::array<std::uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 8});
  const auto a = seal_record(opened.keys, 0, first);
  auto b = seal_record(opened.keys, 1, settings);
  const auto c = seal_record(opened.keys, 2, ping);
  b.insert(b.end(), c.begin(), c.end());
  const auto part = [&](std::size_t from, std::size_t to) {
    return WsFrame{
        ws::binary,
        {a.begin() + static_cast<std::ptrdiff_t>(from), a.begin() + static_cast<std::ptrdiff_t>(to)}}
        .bytes();
  };
  opened.connection.send(part(0, 2));
  opened.connection.send(part(2, 20));
  opened.connection.send(part(20, a.size()));
  opened.connection.send(WsFrame{ws::binary, b}.bytes());
  opened.connection.send(WsFrame{ws::ping, {7}}.bytes());
  bool pong = false;
  std::size_t bytes = 0;
  for (int i = 0; i < 20 && !pong; ++i) {
    const auto frame = read_ws_frame(opened.connection);
    if (!frame || frame->opcode == ws::close) break;
    pong = frame->opcode == ws::pong && frame->payload == std::vector<std::uint8_t>{7};
    bytes += frame->payload.size();
  }
  return kept_if(pong, "a record in three messages, two records in one, and a ping",
                 pong ? "a pong, after " + std::to_string(bytes) + " bytes"
                      : "no pong; connection " + opened.connection.state());
}

Outcome no_early_payload(Context& context) {
  WsSession opened = open_websocket(context);
  while (opened.bytes.size() < noise::record_header_size + noise::tag_size + 9) {
    const auto frame = read_ws_frame(opened.connection);
    if (!frame || frame->opcode == ws::close) throw Obstacle("nothing behind message 2");
    opened.bytes.insert(opened.bytes.end(), frame->payload.begin(), frame->payload.end());
  }
  // SETTINGS has some 30 bytes; the early payload begins with a record of its own or has 95.
  std::size_t size = noise::record_header_size + load_u16be(Bytes(opened.bytes).subspan(1));
  while (opened.bytes.size() < size) {
    const auto frame = read_ws_frame(opened.connection);
    if (!frame) throw Obstacle("a cut record behind message 2");
    opened.bytes.insert(opened.bytes.end(), frame->payload.begin(), frame->payload.end());
  }
  const auto text = open_record(opened.keys, 0, Bytes(opened.bytes).first(size));
  if (!text) throw Obstacle("REC-3: the first record of the server does not open");
  const bool magic = text->size() >= 5 && (*text)[0] == 0xff && (*text)[3] == 'T' && (*text)[4] == 'S';
  return kept_if(!magic, "a WebSocket upgrade", magic ? "an early payload" : "HTTP/2 from the first byte");
}

struct Refusal {
  const char* sent;
  WsHead head;
  int status;
};

Outcome refused_by_status(Context& context) {
  const std::array refusals{
      Refusal{"Connection without Upgrade", {.connection = "Connection: close\r\n"}, 426},
      Refusal{"POST", {.method = "POST"}, 405},
      Refusal{"version 12", {.version = "Sec-WebSocket-Version: 12\r\n"}, 400},
      Refusal{"no key", {.key = ""}, 400},
      Refusal{"a short key", {.key = "Sec-WebSocket-Key: AAAA\r\n"}, 400},
  };
  std::string got;
  bool all = true;
  for (const Refusal& refusal : refusals) {
    const auto [answer, state] =
        context.ask(websocket_request(context, context.initiation().message, refusal.head));
    got += std::string(got.empty() ? "" : "; ") + refusal.sent + ": " + std::to_string(answer.status);
    if (answer.status < 400 || answer.status >= 500) return broken("broken WebSocket upgrades", got);
    all = all && answer.status == refusal.status;
  }
  return all ? kept("broken WebSocket upgrades", got) : differs("broken WebSocket upgrades", got);
}

Outcome refused_by_close(Context& context) {
  const std::string raw = "AAAA+/==";
  const std::array refusals{
      Refusal{"no subprotocol", {.protocol = ""}, 1008},
      Refusal{"no parameter", {.query_prefix = "?x=", .handshake = "y"}, 1008},
      Refusal{"bad base64", {.handshake = "%25%25"}, 1008},
      Refusal{"a raw plus sign", {.handshake = raw}, 1008},
  };
  std::string got;
  bool all = true;
  for (const Refusal& refusal : refusals) {
    RawConnection connection = context.connect();
    connection.send(websocket_request(context, context.initiation().message, refusal.head));
    const HttpAnswer answer = read_answer(connection);
    std::string told = answer.told();
    int code = 0;
    if (answer.status == 101) {
      const WsEnd end = read_ws_end(connection);
      told = end.told;
      code = end.code;
    }
    got += std::string(got.empty() ? "" : "; ") + refusal.sent + ": " + told;
    if (answer.status == 101 ? code == 0 && !connection.ended() : !answer.refused())
      return broken("WebSocket upgrades that can't be used", got);
    all = all && code == refusal.status;
  }
  return all ? kept("WebSocket upgrades that can't be used", got)
             : differs("WebSocket upgrades that can't be used", got);
}

constexpr auto wanted = needs::websocket | needs::noise;
constexpr std::array checks{
    Check{"websocket.upgrade", "ENT-2", Level::must, wanted, "the upgrade of browsers goes through",
          "clients in browsers don't get in", goes_through},
    Check{"websocket.answer", "ENT-2", Level::must, wanted,
          "the answer proves the key and selects the subprotocol", "browsers refuse it otherwise",
          answer_head},
    Check{"websocket.extension", "ENT-2", Level::must, wanted,
          "one of several subprotocols is found, and no extension agreed",
          "records don't compress, and clients of this protocol don't inflate", no_extension},
    Check{"websocket.stream", "ENT-15", Level::must, wanted,
          "borders of messages mean nothing, pings are answered", "clients split records as their sockets do",
          split_records},
    Check{"websocket.early", "EAR-3", Level::should, wanted, "no early payload in a WebSocket",
          "the reference sends none; clients read one all the same", no_early_payload},
    Check{"websocket.status", "ENT-13", Level::must, wanted, "what is no WebSocket upgrade gets an error",
          "a client must not take it for a success", refused_by_status},
    Check{"websocket.close", "ENT-14", Level::must, wanted,
          "what can't go on is closed with 1008 and a reason", "a client must not take it for a success",
          refused_by_close},
};

}  // namespace

std::span<const Check> websocket_checks() { return checks; }

}  // namespace ts2021::app::conformance

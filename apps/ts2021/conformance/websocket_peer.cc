// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/conformance/websocket_peer.h"

#include "entry/base64.h"
#include "ts2021/conformance/context.h"
#include "ts2021/noise/handshake.h"

namespace ts2021::app::conformance {

std::vector<std::uint8_t> WsFrame::bytes() const {
  std::vector<std::uint8_t> out;
  out.push_back(static_cast<std::uint8_t>((last ? 0x80 : 0) | (reserved << 4) | opcode));
  const std::uint8_t mask_bit = masked ? 0x80 : 0;
  const std::size_t size = payload.size();
  if (size < 126) {
    out.push_back(static_cast<std::uint8_t>(mask_bit | size));
  } else if (size < 65536) {
    out.push_back(mask_bit | 126);
    out.resize(4);
    store_u16be(MutableBytes(out).subspan(2), static_cast<std::uint16_t>(size));
  } else {
    out.push_back(mask_bit | 127);
    out.resize(10);
    store_u64be(MutableBytes(out).subspan(2), size);
  }
  static constexpr std::uint8_t mask[4] = {0x5a, 0xc3, 0x17, 0x88};
  if (masked) out.insert(out.end(), std::begin(mask), std::end(mask));
  for (std::size_t i = 0; i < size; ++i)
    out.push_back(static_cast<std::uint8_t>(masked ? payload[i] ^ mask[i % 4] : payload[i]));
  return out;
}

std::string websocket_request(Context& context, Bytes initiation, const WsHead& head) {
  std::string value;
  for (const char c : entry::base64_encode(initiation))
    value += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
  return std::string(head.method) + " /ts2021" + std::string(head.query_prefix) +
         head.handshake.value_or(value) + " HTTP/1.1\r\nHost: " + context.host() + "\r\n" +
         std::string(head.connection) + "Upgrade: websocket\r\n" + std::string(head.version) +
         std::string(head.key) + std::string(head.protocol) + "Origin: https://app.example.com\r\n\r\n";
}

std::optional<WsFrame> read_ws_frame(RawConnection& connection) {
  if (!connection.read_at_least(2)) return std::nullopt;
  const Bytes head = connection.input();
  const std::uint8_t first = head[0], second = head[1];
  std::size_t size = second & 0x7f, head_size = 2;
  if (size >= 126) {
    head_size = size == 126 ? 4 : 10;
    if (!connection.read_at_least(head_size)) return std::nullopt;
    const Bytes long_head = connection.input();
    size = head_size == 4 ? load_u16be(long_head.subspan(2)) : load_u32be(long_head.subspan(6));
    if (head_size == 10 && load_u32be(long_head.subspan(2)) != 0) return std::nullopt;
  }
  if ((second & 0x80) != 0) throw Obstacle("ENT-16: the server masks its frames");
  if (!connection.read_at_least(head_size + size)) return std::nullopt;
  (void)connection.take(head_size);
  WsFrame frame;
  frame.opcode = first & 0x0f;
  frame.last = (first & 0x80) != 0;
  frame.reserved = (first >> 4) & 7;
  frame.masked = false;
  frame.payload = connection.take(size);
  return frame;
}

WsEnd read_ws_end(RawConnection& connection) {
  const auto patience = connection.patience();
  for (int frames = 0; frames < 1'000; ++frames) {
    if (!connection.read_until([](Bytes in) { return !in.empty(); }, patience.silence)) break;
    const auto frame = read_ws_frame(connection);
    if (!frame) break;
    if (frame->opcode != ws::close) continue;
    WsEnd end;
    end.code = frame->payload.size() < 2 ? 1005 : load_u16be(frame->payload);
    const std::string_view reason =
        frame->payload.size() < 2 ? std::string_view() : as_text(Bytes(frame->payload).subspan(2));
    end.told =
        "close " + std::to_string(end.code) + (reason.empty() ? "" : " \"" + printable(reason, 60) + "\"");
    return end;
  }
  return {0, "no close frame, connection " + connection.state()};
}

WsSession open_websocket(Context& context) {
  Initiation initiation = context.initiation();
  WsSession opened{context.connect()};
  opened.connection.send(websocket_request(context, initiation.message));
  const HttpAnswer answer = read_answer(opened.connection);
  if (answer.status != 101) throw Obstacle("a good WebSocket upgrade got " + answer.told());
  while (opened.bytes.size() < noise::response_size) {
    const auto frame = read_ws_frame(opened.connection);
    if (!frame) throw Obstacle("no message 2 in the WebSocket; connection " + opened.connection.state());
    if (frame->opcode == ws::close) throw Obstacle("the server closed the WebSocket in place of message 2");
    if (frame->opcode == ws::binary || frame->opcode == ws::continuation)
      opened.bytes.insert(opened.bytes.end(), frame->payload.begin(), frame->payload.end());
  }
  const auto keys = initiation.finish(Bytes(opened.bytes).first(noise::response_size));
  if (!keys) throw Obstacle("HSK-5: no message 2 of this key in the WebSocket");
  opened.keys = *keys;
  opened.bytes.erase(opened.bytes.begin(), opened.bytes.begin() + noise::response_size);
  return opened;
}

}  // namespace ts2021::app::conformance

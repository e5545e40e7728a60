// SPDX-License-Identifier: BSD-3-Clause
// WebSocket frames by hand, right or wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/conformance/noise_peer.h"

namespace ts2021::app::conformance {

class Context;

namespace ws {
enum Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
}

struct WsFrame {
  std::uint8_t opcode = ws::binary;
  std::vector<std::uint8_t> payload{};
  bool last = true, masked = true;
  std::uint8_t reserved = 0;  // three bits

  [[nodiscard]] std::vector<std::uint8_t> bytes() const;
};

// What differs from a good upgrade: lines of the head are replaced or, if empty, left out.
struct WsHead {
  std::string_view method = "GET";
  std::string_view query_prefix = "?X-Tailscale-Handshake=";
  std::optional<std::string> handshake{};  // percent-encoded already
  std::string_view connection = "Connection: Upgrade\r\n", version = "Sec-WebSocket-Version: 13\r\n",
                   key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                   protocol = "Sec-WebSocket-Protocol: tailscale-control-protocol\r\n";
};
[[nodiscard]] std::string websocket_request(Context& context, Bytes initiation, const WsHead& head = {});

// The server's next frame. Nothing: the end, or silence.
[[nodiscard]] std::optional<WsFrame> read_ws_frame(RawConnection& connection);
// Frames until a close or the end: "close 1008 \"...\"", "closed" and the like.
struct WsEnd {
  int code = 0;  // 0: no close frame
  std::string told;
};
[[nodiscard]] WsEnd read_ws_end(RawConnection& connection);

// A WebSocket with a handshake done inside. Throws Obstacle.
struct WsSession {
  RawConnection connection;
  RecordKeys keys{};
  std::vector<std::uint8_t> bytes{};  // of the stream, behind message 2
};
[[nodiscard]] WsSession open_websocket(Context& context);

}  // namespace ts2021::app::conformance

// SPDX-License-Identifier: BSD-3-Clause
// The upgrade to TS2021 over HTTP/1.1, native and WebSocket, both roles (ENT rules of lib/WIRE.md).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ts2021/base/byte_queue.h"
#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/entry/http1.h"

namespace ts2021::entry {

inline constexpr std::string_view upgrade_path = "/ts2021";
inline constexpr std::string_view upgrade_protocol = "tailscale-control-protocol";
inline constexpr std::string_view handshake_header = "X-Tailscale-Handshake";

// What a good upgrade request carries.
struct UpgradeRequest {
  bool websocket = false;
  std::vector<std::uint8_t> initiation;  // decoded, of any size up to 12 KiB: noise judges it
  std::string websocket_key;             // Sec-WebSocket-Key
};
// Answer with this HTTP status and text instead of a 101 (wire.md §3.4).
struct UpgradeRefusal {
  int status = 400;
  std::string_view text;                         // a literal
  std::string_view extra_name{}, extra_value{};  // one header, e.g. Sec-WebSocket-Version: 13
};
// WebSocket only: answer 101, then close with this code and reason (wire.md §3.7).
struct UpgradeLateRefusal {
  std::string websocket_key;
  bool protocol_offered = false;
  std::uint16_t code = 1008;
  std::string_view reason;  // a literal
};
using UpgradeVerdict = std::variant<UpgradeRequest, UpgradeRefusal, UpgradeLateRefusal>;

[[nodiscard]] UpgradeVerdict read_upgrade(const UpgradeHead& head);

// The 101 heads, complete with the blank line. False: no room, nothing written.
[[nodiscard]] bool write_upgrade_answer(ByteQueue& out);
[[nodiscard]] bool write_websocket_answer(std::string_view websocket_key, bool select_protocol,
                                          ByteQueue& out);

// Client: the native request, as the official client sends it, and the check of the answer's headers.
struct UpgradeTarget {
  std::string_view host;  // with the port, as clients send it: "127.0.0.1:8080"
};
[[nodiscard]] bool write_upgrade_request(const UpgradeTarget& target, Bytes initiation, ByteQueue& out);
// `key_nonce`: 16 random bytes, whose base64 is the Sec-WebSocket-Key.
[[nodiscard]] bool write_websocket_request(const UpgradeTarget& target, Bytes initiation,
                                           std::span<const std::uint8_t, 16> key_nonce, ByteQueue& out);
[[nodiscard]] Result<void> check_upgrade_answer(std::span<const Header> headers);
[[nodiscard]] Result<void> check_websocket_answer(std::span<const Header> headers,
                                                  std::span<const std::uint8_t, 16> key_nonce);

}  // namespace ts2021::entry

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/entry/upgrade.h"

#include <optional>

#include "crypto/sha1.h"
#include "entry/base64.h"
#include "entry/header_list.h"
#include "entry/http1_output.h"

namespace ts2021::entry {
namespace {

constexpr std::string_view websocket_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3

std::string accept_value(std::string_view websocket_key) {
  const std::string text = std::string(websocket_key).append(websocket_guid);
  return base64_encode(crypto::sha1(as_bytes(text)));
}

// What both forms refuse although the reference does not. ENT-5, ENT-12
std::optional<UpgradeRefusal> refuse_shape(const UpgradeHead& head) {
  if (!head.http11) return UpgradeRefusal{400, "upgrade needs HTTP/1.1"};
  if (head.has_body) return UpgradeRefusal{400, "request body not allowed"};
  return std::nullopt;
}

UpgradeVerdict read_websocket(const UpgradeHead& head) {
  // ENT-13
  if (const auto refusal = refuse_shape(head)) return *refusal;
  if (!list_has(head.headers, "connection", "upgrade", Case::any))
    return UpgradeRefusal{426, "missing Connection: Upgrade", "Upgrade", "websocket"};
  if (head.method != Method::get) return UpgradeRefusal{405, "WebSocket needs GET", "Allow", "GET"};
  if (find_header(head.headers, "sec-websocket-version") != "13")
    return UpgradeRefusal{400, "unsupported WebSocket version", "Sec-WebSocket-Version", "13"};
  const std::string_view key = find_header(head.headers, "sec-websocket-key");
  if (key.empty()) return UpgradeRefusal{400, "missing Sec-WebSocket-Key"};
  const auto nonce = base64_decode(key);
  if (count_header(head.headers, "sec-websocket-key") != 1 || !nonce || nonce->size() != 16)
    return UpgradeRefusal{400, "invalid Sec-WebSocket-Key"};

  // ENT-14
  UpgradeLateRefusal late{std::string(key), true, 1008, {}};
  if (!list_has(head.headers, "sec-websocket-protocol", upgrade_protocol, Case::exact)) {
    late.protocol_offered = false;
    late.reason = "client must speak the control subprotocol";
    return late;
  }
  const auto parameter = decoded_query_value(head.query, handshake_header);
  if (!parameter) {
    late.reason = "Could not parse parameters";
    return late;
  }
  if (parameter->empty()) {
    late.reason = "missing Tailscale handshake parameter";
    return late;
  }
  auto initiation = base64_decode(*parameter);
  if (!initiation) {
    late.reason = "invalid tailscale handshake parameter";
    return late;
  }
  return UpgradeRequest{true, std::move(*initiation), std::move(late.websocket_key)};
}

}  // namespace

UpgradeVerdict read_upgrade(const UpgradeHead& head) {
  // ENT-4: this order, and the first of several fields.
  if (head.method != Method::post && head.method != Method::get)
    return UpgradeRefusal{400, "POST or GET required"};
  const std::string_view protocol = find_header(head.headers, "upgrade");
  if (protocol.empty()) return UpgradeRefusal{400, "missing next protocol"};
  if (same_token(protocol, "websocket")) return read_websocket(head);
  if (!same_token(protocol, upgrade_protocol)) return UpgradeRefusal{400, "unknown next protocol"};  // ENT-1
  const std::string_view handshake = find_header(head.headers, handshake_header);
  if (handshake.empty()) return UpgradeRefusal{400, "missing Tailscale handshake header"};
  auto initiation = base64_decode(handshake);
  if (!initiation) return UpgradeRefusal{400, "invalid tailscale handshake header"};
  if (const auto refusal = refuse_shape(head)) return *refusal;
  return UpgradeRequest{false, std::move(*initiation), {}};
}

// ENT-6
bool write_upgrade_answer(ByteQueue& out) {
  return out.append(
      as_bytes("HTTP/1.1 101 Switching Protocols\r\n"
               "Connection: upgrade\r\n"
               "Upgrade: tailscale-control-protocol\r\n"
               "\r\n"));
}

// ENT-2
bool write_websocket_answer(std::string_view websocket_key, bool select_protocol, ByteQueue& out) {
  std::string text =
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Connection: Upgrade\r\n"
      "Upgrade: websocket\r\n"
      "Sec-WebSocket-Accept: ";
  text.append(accept_value(websocket_key)).append("\r\n");
  if (select_protocol) text.append("Sec-WebSocket-Protocol: ").append(upgrade_protocol).append("\r\n");
  text += "\r\n";
  return out.append(as_bytes(text));
}

// ENT-1
bool write_upgrade_request(const UpgradeTarget& target, Bytes initiation, ByteQueue& out) {
  if (target.host.empty() || !safe_value(target.host)) return false;
  std::string text = "POST /ts2021 HTTP/1.1\r\nHost: ";
  text.append(target.host);
  text +=
      "\r\n"
      "User-Agent: Go-http-client/1.1\r\n"
      "Content-Length: 0\r\n"
      "Connection: upgrade\r\n"
      "Upgrade: tailscale-control-protocol\r\n"
      "X-Tailscale-Handshake: ";
  text.append(base64_encode(initiation)).append("\r\n\r\n");
  return out.append(as_bytes(text));
}

// ENT-2
bool write_websocket_request(const UpgradeTarget& target, Bytes initiation,
                             std::span<const std::uint8_t, 16> key_nonce, ByteQueue& out) {
  if (target.host.empty() || !safe_value(target.host)) return false;
  std::string text = "GET /ts2021?X-Tailscale-Handshake=";
  for (const char c : base64_encode(initiation)) {
    if (c == '+')
      text += "%2B";
    else if (c == '/')
      text += "%2F";
    else if (c == '=')
      text += "%3D";
    else
      text += c;
  }
  text.append(" HTTP/1.1\r\nHost: ").append(target.host);
  text +=
      "\r\n"
      "Connection: Upgrade\r\n"
      "Upgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: ";
  text.append(base64_encode(key_nonce)).append("\r\nSec-WebSocket-Protocol: ");
  text.append(upgrade_protocol).append("\r\n\r\n");
  return out.append(as_bytes(text));
}

// ENT-7
Result<void> check_upgrade_answer(std::span<const Header> headers) {
  if (!list_has(headers, "connection", "upgrade", Case::any)) return fail(Errc::bad_upgrade, 340);
  if (find_header(headers, "upgrade") != upgrade_protocol) return fail(Errc::bad_upgrade, 341);
  return {};
}

Result<void> check_websocket_answer(std::span<const Header> headers,
                                    std::span<const std::uint8_t, 16> key_nonce) {
  if (!list_has(headers, "connection", "upgrade", Case::any)) return fail(Errc::bad_upgrade, 342);
  if (!same_token(find_header(headers, "upgrade"), "websocket")) return fail(Errc::bad_upgrade, 343);
  if (find_header(headers, "sec-websocket-accept") != accept_value(base64_encode(key_nonce)))
    return fail(Errc::bad_upgrade, 344);
  if (find_header(headers, "sec-websocket-protocol") != upgrade_protocol) return fail(Errc::bad_upgrade, 345);
  if (count_header(headers, "sec-websocket-extensions") != 0) return fail(Errc::bad_upgrade, 346);
  return {};
}

}  // namespace ts2021::entry

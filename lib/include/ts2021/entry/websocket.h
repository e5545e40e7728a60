// SPDX-License-Identifier: BSD-3-Clause
// WebSocket framing of a byte stream: binary messages whose borders mean nothing, no extensions (ENT rules).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "ts2021/base/byte_queue.h"
#include "ts2021/base/bytes.h"
#include "ts2021/base/entropy.h"
#include "ts2021/base/result.h"

namespace ts2021::entry {

inline constexpr std::size_t max_websocket_message = 32768;  // what Go readers take; longer ends with 1009

class WebSocket {
 public:
  enum class Role : std::uint8_t { server, client };
  // `entropy` makes the masks of the client role; must outlive the object.
  WebSocket(Role role, Entropy& entropy);
  ~WebSocket();
  WebSocket(WebSocket&&) noexcept;

  // In. Takes all bytes. After an error the close frame is pending and everything later is ignored. Errors:
  // bad_websocket_frame, limit_exceeded (message too long), end_of_stream (the peer closed with another code
  // than 1000 or 1001, which is the detail).
  [[nodiscard]] Result<void> feed(Bytes in);
  // Payload bytes of binary messages, in order; empty when there are none. The view is writable (records are
  // opened in place) and lives until the next call.
  [[nodiscard]] MutableBytes next();

  // Out. One binary message with these bytes (≤ max_websocket_message) straight into `out`; false: no room,
  // nothing written. After close() it drops them.
  [[nodiscard]] bool append(Bytes payload, ByteQueue& out);
  // Pending control frames (pong, close) into `out`; call whenever there is room.
  void fill(ByteQueue& out);
  // `fixed_reason`: a literal of at most 123 bytes. Only the first call counts.
  void close(std::uint16_t code, std::string_view fixed_reason);

  [[nodiscard]] bool peer_closed() const noexcept;  // a close frame came: end of stream
  [[nodiscard]] bool close_pending() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021::entry

// SPDX-License-Identifier: BSD-3-Clause
// HTTP/2, client side: the mirror image of server_session.h.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "h2/frame_sink.h"
#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/base/slot_pool.h"
#include "ts2021/base/time.h"
#include "ts2021/http/message.h"

namespace ts2021::h2 {

struct ClientLimits {
  std::uint32_t stream_window = 4 << 20;
  std::uint32_t connection_window = 16 << 20;
  std::uint32_t max_header_list = 64 << 10;
};

struct ClientRequest {
  std::string_view method = "POST";
  std::string_view scheme = "https";
  std::string_view authority{};
  std::string_view path{};
  std::span<const Header> headers{};  // lower-case names
};

// Views live until the next call of next_event().
struct ClientHead {
  StreamId stream;
  int status;
  std::span<const Header> headers;
};
struct ClientData {
  StreamId stream;
  Bytes bytes;
};  // give the window back with release(stream, bytes.size())
struct ClientEnd {
  StreamId stream;
};  // END_STREAM
struct ClientGone {
  StreamId stream;
  Error why;
};  // reset (detail: the HTTP/2 code), above the last stream of a GOAWAY (going_away), or the connection died
using ClientSessionEvent = std::variant<ClientHead, ClientData, ClientEnd, ClientGone>;

class ClientSession {
 public:
  // Queues preface, SETTINGS, WINDOW_UPDATE(0). `slots` must outlive the object; null: the heap.
  explicit ClientSession(const ClientLimits& limits, SlotPool* slots = nullptr);
  ~ClientSession();

  // Takes all bytes. An error is final: every open stream becomes ClientGone, a GOAWAY is queued. While the
  // sink refuses, an error may come from drain_to() instead.
  [[nodiscard]] Result<void> feed(Bytes in, Now now);
  [[nodiscard]] std::optional<ClientSessionEvent> next_event();

  // A whole request; GET may carry a body too. content-length is added when `body` is not null. going_away:
  // the server takes no more, use another connection. Before the server's SETTINGS, requests above 100 wait.
  [[nodiscard]] Result<StreamId> request(const ClientRequest& request, SharedBytes body);
  void release(StreamId stream, std::size_t bytes);
  void cancel(StreamId stream);  // RST_STREAM(CANCEL); no event of the stream follows

  // Hands frames to the sink until it refuses or nothing is left, then returns the session's error if any.
  [[nodiscard]] Result<void> drain_to(FrameSink sink);
  [[nodiscard]] bool wants_output() const noexcept;
  [[nodiscard]] bool settings_received() const noexcept;
  // Of the server's first SETTINGS: numbers and values, at most 32.
  [[nodiscard]] std::span<const std::pair<std::uint16_t, std::uint32_t>> settings() const noexcept;
  [[nodiscard]] bool finished() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021::h2

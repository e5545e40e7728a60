// SPDX-License-Identifier: BSD-3-Clause
// One accepted connection: HTTP/1.1 outside, and after the upgrade Noise records with HTTP/2 inside.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "ts2021/base/result.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/base/time.h"
#include "ts2021/conn/env.h"
#include "ts2021/conn/event.h"
#include "ts2021/conn/limits.h"
#include "ts2021/http/route.h"
#include "ts2021/key/key.h"

namespace ts2021 {

// Shared by connections; it and what it points to must outlive them.
struct ServerConfig {
  std::span<const ControlNoisePair> noise_keys;  // newest first, at most 5; older ones still open handshakes
  std::span<const Route> routes;                 // of both sites
  Limits limits{};
  bool tell_unrouted = false;  // Unrouted tells of each request that is answered 404 or 405 for want of a row
};

enum class Pushed : std::uint8_t { accepted, congested };

class ServerConnection {
 public:
  ServerConnection(const ServerConfig& config, Env env, Now now);
  ~ServerConnection();
  ServerConnection(ServerConnection&&) noexcept;

  // 1. In: bytes and time. Takes all of `in` and scribbles on it. An error ends the connection; the same
  // error waits in Closed, so a driver need not look at it.
  Result<void> receive(MutableBytes in, Now now);
  void receive_end(Now now);  // the peer sends no more; on the outer site it may still read
  void handle_timeout(Now now);

  // 2. Out: events, until empty.
  [[nodiscard]] std::optional<ServerEvent> next_event();

  // 3. Commands. A command on a stream that is gone is misuse and changes nothing.
  // After PeerKnown: `early_payload` is JSON of at most 1,024 bytes, or empty for none; it is dropped for
  // peers that cannot take it (version < 49, EAR-2; WebSocket, EAR-3).
  Result<void> accept(Bytes early_payload, Now now);
  void refuse(std::string_view fixed_text, Now now);  // goes to a stranger: a literal, never input (HSK-8)
  Result<void> respond(StreamId stream, const ResponseHead& head, SharedBytes body);
  Result<void> start_stream(StreamId stream, const ResponseHead& head);
  // One message, in pieces; Writable follows once it has left. congested: not taken, the last one has not
  // left yet.
  [[nodiscard]] Result<Pushed> push(StreamId stream, std::span<const SharedBytes> pieces, Now now);
  Result<void> end_stream(StreamId stream);
  void release(StreamId stream);  // once per Request: its views die, its window opens
  void drain(Now now);            // GOAWAY, finish what is open, then close
  void close(Error why, Now now);

  // 4. Out: bytes, at most as many views as `pieces` holds; they live until the next call. Sealing happens
  // here, so a blocked socket costs no cipher time. 16 views are a full queue.
  [[nodiscard]] std::size_t output(std::span<Bytes> pieces, Now now);
  void output_sent(std::size_t n, Now now);
  void output_failed(Now now);  // the socket is broken; unlike after receive_end(), nothing more is sent

  // 5. What to wait for.
  [[nodiscard]] bool wants_input() const noexcept;  // false: stop reading the socket
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept;

  // For benches: bytes of heap that this object holds apart from the HTTP/2 session.
  [[nodiscard]] static std::size_t own_size() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021

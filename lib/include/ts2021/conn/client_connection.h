// SPDX-License-Identifier: BSD-3-Clause
// One outgoing connection: plain HTTP/1.1 (GET /key, TS2019), or the upgrade to Noise with HTTP/2 inside.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ts2021/base/result.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/base/time.h"
#include "ts2021/conn/env.h"
#include "ts2021/conn/event.h"
#include "ts2021/conn/limits.h"
#include "ts2021/key/key.h"

namespace ts2021 {

enum class ClientMode : std::uint8_t { http1, noise, noise_websocket };

struct ClientConfig {
  ClientMode mode = ClientMode::noise;
  std::string host;                          // Host header and :authority, with the port as in the URL
  const MachineKeyPair* machine = nullptr;   // noise: must outlive the connection
  ControlNoisePublic server{};               // noise: from GET /key; zero is refused
  ProtocolVersion version{};                 // noise: our capability version
  std::size_t max_early_payload = 64 << 10;  // bytes
  Limits limits{};
  std::chrono::milliseconds dial_deadline{10'000};  // until Ready
};

struct ClientCall {
  std::string_view method = "POST";
  std::string_view path;  // with query
  std::span<const Header> headers{};
};

class ClientConnection {
 public:
  ClientConnection(const ClientConfig& config, Env env, Now now);
  ~ClientConnection();
  ClientConnection(ClientConnection&&) noexcept;

  // 1. In. Takes all of `in` and scribbles on it; an error is final and waits in Closed too.
  Result<void> receive(MutableBytes in, Now now);
  void receive_end(Now now);
  void handle_timeout(Now now);

  // 2. Events, until empty.
  [[nodiscard]] std::optional<ClientEvent> next_event();

  // 3. Commands. request() needs Ready (misuse before). In http1 mode one exchange at a time.
  [[nodiscard]] Result<StreamId> request(const ClientCall& call, SharedBytes body);
  void release(StreamId stream, std::size_t bytes);  // gives the window of ResponseData back
  void cancel(StreamId stream);                      // RST_STREAM(CANCEL)
  void close(Error why, Now now);

  // 4. Bytes. When output() returns 0, take events once more: Closed follows the last byte.
  [[nodiscard]] std::size_t output(std::span<Bytes> pieces, Now now);
  void output_sent(std::size_t n, Now now);
  void output_failed(Now now);  // the socket is broken: Closed follows at once

  // 5. What to wait for.
  [[nodiscard]] bool wants_input() const noexcept;
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept;

  // After a peer_refused error: the server's text, unauthenticated and not to be trusted (HSK-8).
  [[nodiscard]] std::string_view refusal() const noexcept;
  // After Ready in noise mode: channel binding value.
  [[nodiscard]] Bytes handshake_hash() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// One ClientConnection on a blocking thread: the socket, the clock, and a loop that runs until it is told to
// stop.
#pragma once

#include <poll.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "ts2021/base/block_pool.h"
#include "ts2021/conn/client_connection.h"
#include "ts2021/net/dial.h"
#include "ts2021/noise/cipher_scratch.h"

namespace ts2021::app {

// What poll() waits at most: up to `wake`, a minute at a time.
[[nodiscard]] int poll_timeout(std::optional<Instant> wake);

class Session {
 public:
  // `host` is for Host headers and goes into the configuration. The tracer must outlive the session.
  Session(ByteStream stream, const std::string& host, ClientConfig config, Tracer* tracer = nullptr);
  // Dials; throws DialError.
  Session(const ControlUrl& url, const DialOptions& options, ClientConfig config);

  [[nodiscard]] ClientConnection& connection() noexcept { return connection_; }
  [[nodiscard]] ByteStream& stream() noexcept { return stream_; }
  // Why Closed was given out, once it was: nothing more can come of the session.
  [[nodiscard]] std::optional<Error> closed() const noexcept { return closed_; }

  // Serves the connection until it can take requests. The early payload, empty for none; at once when it was
  // ready before. Error: why it closed, or timeout at `until`.
  [[nodiscard]] Result<std::string> ready(std::optional<Instant> until);

  using OnEvent = std::function<bool(const ClientEvent&)>;
  // Serves the connection until `on_event` returns false, Closed was given to it, or `until` has come. After
  // every turn `tick` may say when it wants to be called again.
  void run(const OnEvent& on_event, const std::function<std::optional<Instant>()>& tick = {},
           std::optional<Instant> until = {});

  // The parts of a turn, for a loop that serves several. flush() takes events and sends what there is; false
  // when `on_event` has said so, or Closed was given to it.
  [[nodiscard]] bool flush(const OnEvent& on_event);
  [[nodiscard]] pollfd interest() const noexcept;
  void on_ready(short revents);  // of interest(); call it in every turn, for the sake of time

 private:
  ByteStream stream_;
  SystemEntropy entropy_;
  BlockPool blocks_{1024};
  CipherScratch cipher_;
  ClientConnection connection_;
  std::vector<std::uint8_t> scratch_;
  std::optional<std::string> early_payload_;  // once ready
  std::optional<Error> closed_;
  bool blocked_ = false;
};

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// One ClientConnection on a blocking thread: the socket, the clock, and a loop that runs until it is told to
// stop.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/socket.h"
#include "ts2021/base/block_pool.h"
#include "ts2021/conn/client_connection.h"
#include "ts2021/noise/cipher_scratch.h"

namespace ts2021::app {

// "http://host[:port]"; throws std::runtime_error for anything else.
struct ControlUrl {
  Endpoint endpoint;
  std::string host;  // as in the URL, for Host headers
};
[[nodiscard]] ControlUrl parse_url(std::string_view url);

class Session {
 public:
  // Connects; throws std::runtime_error. `config.host` is filled from the URL.
  Session(const ControlUrl& url, ClientConfig config);

  [[nodiscard]] ClientConnection& connection() noexcept { return connection_; }
  // Serves the connection until `on_event` returns false, Closed was given to it, or `until` has come. After
  // every turn `tick` may say when it wants to be called again.
  void run(const std::function<bool(const ClientEvent&)>& on_event,
           const std::function<std::optional<Instant>()>& tick = {}, std::optional<Instant> until = {});

 private:
  Fd socket_;
  SystemEntropy entropy_;
  BlockPool blocks_{1024};
  CipherScratch cipher_;
  ClientConnection connection_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace ts2021::app

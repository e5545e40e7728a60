// SPDX-License-Identifier: BSD-3-Clause
// The outer site of a server connection: HTTP/1.1, and how long each part of an exchange may take.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "conn/outbox.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/entry/http1.h"

namespace ts2021::conn {

class OuterSite {
 public:
  OuterSite(const ServerConfig& config, bool tell_unrouted, Instant now)
      : http(config.routes, {.max_head = config.limits.max_head}, {.tell_unrouted = tell_unrouted}),
        since_(now) {}

  // Moves what is pending into the outbox, as far as it fits.
  void fill(Outbox& out, Instant now);
  void note(Instant now);  // after input
  void note_request() { served_ = true; }
  [[nodiscard]] std::optional<StreamId> take_writable() { return std::exchange(writable_, std::nullopt); }
  [[nodiscard]] std::optional<Instant> deadline(const Limits& limits) const noexcept;

  entry::Http1Server http;

 private:
  enum class State : std::uint8_t { head, idle, body, waiting };

  State state_ = State::head;
  Instant since_;
  bool served_ = false;  // a request was answered: between two, the longer deadline holds
  std::optional<StreamId> writable_;
};

}  // namespace ts2021::conn

// SPDX-License-Identifier: BSD-3-Clause
// One client at a replay's server: its socket, its connection, and the answers that are due to it.
#pragma once

#include <poll.h>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "common/socket.h"
#include "ts2021/conn/server_connection.h"

namespace ts2021::app {

// A stream of map messages that is under way.
struct ReplayStream {
  struct Message {
    Instant due;
    SharedPieces pieces;
  };
  std::deque<Message> messages;
  SharedPieces keep_alive;  // when nothing else is left; null: the stream ends then
  Instant keep_alive_due{};
  bool in_flight = false;
};

class ReplayPeer {
 public:
  using OnEvent = std::function<void(ReplayPeer&, const ServerEvent&)>;

  ReplayPeer(Fd socket, const ServerConfig& config, Env env);

  [[nodiscard]] ServerConnection& connection() noexcept { return connection_; }
  void respond_at(Instant due, std::function<void()> answer) { answers_.emplace(due, std::move(answer)); }
  void stream(StreamId stream, ReplayStream messages) { streams_[stream] = std::move(messages); }

  // Gives events out and sends what is due. False when the connection is over.
  [[nodiscard]] bool flush(const OnEvent& on_event);
  [[nodiscard]] pollfd interest() const noexcept;
  void on_ready(short revents);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

 private:
  bool take_events(const OnEvent& on_event);
  bool send_due();
  bool write();

  Fd socket_;
  ServerConnection connection_;
  std::multimap<Instant, std::function<void()>> answers_;
  std::map<StreamId, ReplayStream> streams_;
  std::vector<std::uint8_t> scratch_;
  bool blocked_ = false, over_ = false;
};

}  // namespace ts2021::app

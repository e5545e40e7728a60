// SPDX-License-Identifier: BSD-3-Clause
// The listener of the admin API: takes requests over HTTP/1.1, which are answered now or later.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "common/socket.h"
#include "ts2021/admin/desk.h"
#include "ts2021/base/block_pool.h"
#include "ts2021d/event_loop.h"

namespace ts2021::app {

class AdminConnection;

// Nobody waits for this answer any more.
struct AdminCallGone {
  admin::CallId call;
};
using AdminNews = std::variant<admin::Request, AdminCallGone>;

class AdminListener final : public EventLoop::Watcher {
 public:
  // More wait until one of these ends.
  static constexpr std::size_t max_connections = 256;

  // `path`: of a Unix socket, whose file is removed at the end; else empty. `token`: see admin::DeskConfig.
  // The loop must outlive the listener.
  AdminListener(EventLoop& loop, Fd socket, std::string path, std::string token);
  ~AdminListener() override;

  // What has come since the last call, into an empty vector.
  void take(std::vector<AdminNews>& out);
  // Drops an answer for which nobody waits.
  void answer(const admin::Answer& answer);

  void on_ready(bool readable, bool writable) override;
  void on_deadline() override;

  // For connections.
  [[nodiscard]] EventLoop& loop() { return loop_; }
  [[nodiscard]] BlockPool& blocks() { return blocks_; }
  [[nodiscard]] MutableBytes scratch() { return scratch_; }
  [[nodiscard]] const std::string& token() const { return token_; }
  [[nodiscard]] bool is_private() const { return !path_.empty(); }  // a Unix socket
  [[nodiscard]] admin::CallId begin(AdminConnection& connection, admin::Request request);
  void end(admin::CallId call, bool gone);
  void bury(AdminConnection& connection) { dead_.push_back(&connection); }

 private:
  void listen_again();

  EventLoop& loop_;
  const Fd socket_;
  const std::string path_, token_;
  BlockPool blocks_;
  std::vector<std::uint8_t> scratch_;
  std::unordered_map<AdminConnection*, std::unique_ptr<AdminConnection>> connections_;
  std::vector<AdminConnection*> dead_;
  std::unordered_map<admin::CallId, AdminConnection*> waiting_;
  std::vector<AdminNews> news_;
  std::uint64_t last_call_ = 0;
  bool listening_ = true;
};

}  // namespace ts2021::app

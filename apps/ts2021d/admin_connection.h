// SPDX-License-Identifier: BSD-3-Clause
// One connection of the admin API.
#pragma once

#include <optional>
#include <string_view>

#include "common/socket.h"
#include "ts2021/admin/desk.h"
#include "ts2021/base/byte_queue.h"
#include "ts2021/entry/http1.h"
#include "ts2021d/event_loop.h"

namespace ts2021::app {

class AdminListener;

class AdminConnection final : public EventLoop::Watcher {
 public:
  AdminConnection(AdminListener& home, Fd socket);
  ~AdminConnection() override;

  void answer(const admin::Answer& answer);

  void on_ready(bool readable, bool writable) override;
  void on_deadline() override;

 private:
  void read();
  bool write();
  void begin(const Request& request);
  void refuse(const Request& request, int status, std::string_view why);
  void flush();
  void linger();
  void die();

  AdminListener& home_;
  const Fd socket_;
  entry::Http1Server http_;
  ByteQueue out_;
  std::optional<admin::CallId> call_;  // waits for its answer
  StreamId stream_{};                  // of that call
  Instant active_;                     // when bytes have come or gone
  std::optional<Instant> linger_until_;
  bool watching_read_ = true, watching_write_ = false, blocked_ = false, dead_ = false;
};

}  // namespace ts2021::app

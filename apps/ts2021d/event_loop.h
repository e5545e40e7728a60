// SPDX-License-Identifier: BSD-3-Clause
// epoll, deadlines and a wake-up for other threads. Knows nothing of the protocol.
#pragma once

#include <atomic>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/socket.h"
#include "ts2021/base/time.h"

namespace ts2021::app {

class EventLoop {
 public:
  // What the loop watches: a socket, a deadline, or both. forget() it before it dies.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void on_ready(bool readable, bool writable) = 0;
    virtual void on_deadline() = 0;  // may come early; set the deadline again

   private:
    friend class EventLoop;
    std::optional<Instant> queued_;
  };

  EventLoop();

  void watch(int fd, Watcher& watcher, bool read, bool write);
  void change(int fd, Watcher& watcher, bool read, bool write);
  void forget(int fd, Watcher& watcher);
  // A later deadline than the queued one costs nothing: the watcher is then called early, once.
  void set_deadline(Watcher& watcher, std::optional<Instant> deadline);

  // Serves what is ready, waiting for it if `wait`. False once stop() was called.
  bool run_once(bool wait = true);
  // The last turn found no socket, wake-up or deadline to serve.
  [[nodiscard]] bool idle() const noexcept { return idle_; }

  // From any thread, and from signal handlers.
  void wake() noexcept;
  void stop() noexcept;

 private:
  bool serve_deadlines();

  Fd epoll_, wake_;
  std::set<std::pair<Instant, Watcher*>> deadlines_;
  std::vector<Watcher*> batch_;  // named by the events being served; null once forgotten
  bool idle_ = false;
  std::atomic<bool> stopped_ = false;
};

}  // namespace ts2021::app

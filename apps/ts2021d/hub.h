// SPDX-License-Identifier: BSD-3-Clause
// The main thread: the coordinator and its store, fed by the shards; accepts connections; ends on a signal.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "common/socket.h"
#include "store/memory_store.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/service/address_budget.h"
#include "ts2021d/event_loop.h"
#include "ts2021d/mailbox.h"
#include "ts2021d/shard.h"

namespace ts2021::app {

class Hub {
 public:
  struct Options {
    std::size_t threads = 1;
    double connects_per_second = 0;  // per address, bursts of five times as many; 0: no limit
    bool limit_loopback = false;
    noise::HandshakeCacheLimits handshakes{};  // per thread
  };
  // `server` and `service` must outlive the hub.
  Hub(const ServerConfig& server, const ServiceConfig& service, CoordinatorConfig coordinator,
      const Options& options);
  ~Hub();

  // Serves until SIGTERM or SIGINT, which must be blocked in every thread before.
  void run(Fd listener);

 private:
  struct Listener final : EventLoop::Watcher {
    explicit Listener(Hub& h) : hub(h) {}
    void on_ready(bool, bool) override { hub.accept(); }
    void on_deadline() override { hub.resume_accepting(); }
    Hub& hub;
    Fd fd;
  };
  struct Signals final : EventLoop::Watcher {
    explicit Signals(Hub& h) : hub(h) {}
    void on_ready(bool, bool) override { hub.loop_.stop(); }
    void on_deadline() override {}
    Hub& hub;
    Fd fd;
  };
  struct Timer final : EventLoop::Watcher {
    void on_ready(bool, bool) override {}
    void on_deadline() override {}  // pump() follows every turn of the loop
  };

  void accept();
  void pause_accepting(int error);
  void resume_accepting();
  void pump();
  void log(const coord_event::Notice& notice);

  const Options options_;
  AddressBudget budget_;
  EventLoop loop_;
  Mailbox<CoordInput> mail_;
  SystemEntropy entropy_;
  MemoryStore store_;
  Coordinator coordinator_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::vector<ShardMail>> outboxes_;
  std::vector<CoordInput> inputs_;
  std::size_t next_shard_ = 0;
  std::optional<Instant> complain_after_;
  Listener listener_{*this};
  Signals signals_{*this};
  Timer timer_;
};

}  // namespace ts2021::app

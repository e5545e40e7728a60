// SPDX-License-Identifier: BSD-3-Clause
// The main thread: what coordinates, fed by the shards and the admin API; accepts connections; obeys signals.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/socket.h"
#include "ts2021/msg/small.h"
#include "ts2021/policy/policy_file.h"
#include "ts2021/service/address_budget.h"
#include "ts2021d/admin_listener.h"
#include "ts2021d/capture_file.h"
#include "ts2021d/coordination.h"
#include "ts2021d/event_loop.h"
#include "ts2021d/mailbox.h"
#include "ts2021d/shard.h"
#include "ts2021d/tls_context.h"

namespace ts2021::app {

class Hub {
 public:
  struct Options {
    std::size_t threads = 1;
    double connects_per_second = 0;  // per address, bursts of five times as many; 0: no limit
    bool limit_loopback = false;
    noise::HandshakeCacheLimits handshakes{};  // per thread
    // Files, read at the start and again on SIGHUP.
    std::optional<TlsSource> tls{};
    std::string derp_map{};  // empty: no relays
    std::string policy{};    // empty: everybody reaches everybody
    PolicyRoles roles{};
    std::optional<ClientVersion> client_version{};  // that nodes are told of
    CaptureFile* capture = nullptr;                 // must outlive the hub
    // Servers for tests.
    Randomness randomness{};
    bool virtual_clock = false;
    std::optional<admin::DeskConfig> desk{};  // none: there is no admin API
    std::shared_ptr<const admin::FaultBook> faults{};
  };
  // `server` and `service` must outlive the hub. Throws std::runtime_error: a file of the options is
  // unusable.
  Hub(const ServerConfig& server, const ServiceConfig& service, CoordinatorConfig coordinator,
      const Options& options);
  ~Hub();

  // Serves until SIGTERM or SIGINT; SIGHUP reads the files again. All three must be blocked in every thread
  // before. `secure` may be empty, and `admin`, where there is no desk; `admin_path` is its file, if it has
  // one.
  void run(Fd plain, Fd secure, Fd admin, const std::string& admin_path);

 private:
  struct Listener final : EventLoop::Watcher {
    Listener(Hub& h, bool with_tls) : hub(h), tls(with_tls) {}
    void on_ready(bool, bool) override { hub.accept(*this); }
    void on_deadline() override { hub.resume_accepting(*this); }
    Hub& hub;
    const bool tls;
    Fd fd;
  };
  struct Signals final : EventLoop::Watcher {
    explicit Signals(Hub& h) : hub(h) {}
    void on_ready(bool, bool) override { hub.obey_signals(); }
    void on_deadline() override {}
    Hub& hub;
    Fd fd;
  };
  struct Timer final : EventLoop::Watcher {
    void on_ready(bool, bool) override {}
    void on_deadline() override {}  // pump() follows every turn of the loop
  };

  void listen(Listener& listener, Fd fd);
  void accept(Listener& listener);
  void pause_accepting(Listener& listener, int error);
  void resume_accepting(Listener& listener);
  void obey_signals();
  void reload();
  void take_mail();
  void take_admin_news();
  void end_sessions();
  void pump();
  void log(const coord_event::CommandDone& done);
  void log(const coord_event::Notice& notice);

  const Options options_;
  AddressBudget budget_;
  EventLoop loop_;
  Mailbox<HubMail> mail_;
  const std::unique_ptr<FaultBoard> faults_;  // null: there can be none
  Coordination coordination_;
  std::unique_ptr<AdminListener> admin_;  // null: there is no admin API
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::vector<ShardMail>> outboxes_;
  std::vector<HubMail> batch_;
  std::vector<AdminNews> admin_news_;
  std::vector<bool> ending_;  // shards that were told to end their sessions and have not said that they did
  std::size_t next_shard_ = 0;
  std::optional<Instant> complain_after_;
  TlsContext tls_;
  Listener plain_{*this, false}, secure_{*this, true};
  Signals signals_{*this};
  Timer timer_;
};

}  // namespace ts2021::app

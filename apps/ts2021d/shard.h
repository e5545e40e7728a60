// SPDX-License-Identifier: BSD-3-Clause
// One thread of connections: its loop, its pools, its part of the service. Speaks to the coordinator by
// mailboxes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "common/socket.h"
#include "ts2021/admin/desk.h"
#include "ts2021/admin/fault.h"
#include "ts2021/base/block_pool.h"
#include "ts2021/conn/env.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/noise/cipher_scratch.h"
#include "ts2021/noise/handshake_cache.h"
#include "ts2021/service/control_service.h"
#include "ts2021d/event_loop.h"
#include "ts2021d/mailbox.h"
#include "ts2021d/tls_context.h"

namespace ts2021::app {

class ConnectionDriver;

struct NewConnection {
  Fd socket;
  TlsContext tls;                    // null: plain HTTP
  std::string peer;                  // "address:port", for the log
  std::unique_ptr<Tracer> tracer{};  // null: nobody captures
};
struct EndSessions {};  // close every connection, now; SessionsEnded answers
struct Drain {};        // finish what is open, then end the thread
using ShardMail = std::variant<CoordEvent, NewConnection, EndSessions, Drain>;

struct SessionsEnded {  // no session that there was is heard of again
  std::size_t shard;
};
using HubMail = std::variant<CoordInput, admin::Unrouted, SessionsEnded>;

// Which shard a session belongs to is in its number.
inline constexpr int session_shard_bits = 48;
[[nodiscard]] inline std::size_t shard_of(SessionId session) noexcept {
  return static_cast<std::size_t>(static_cast<std::uint64_t>(session) >> session_shard_bits);
}

class Shard {
 public:
  // `config`, `service`, `hub` and `faults` must outlive the shard; the last is null where there can be none.
  Shard(std::size_t index, const ServerConfig& config, const ServiceConfig& service,
        noise::HandshakeCacheLimits handshakes, std::unique_ptr<Entropy> entropy, Mailbox<HubMail>& hub,
        const admin::FaultSource* faults = nullptr);
  ~Shard();  // joins the thread

  void start();
  [[nodiscard]] Mailbox<ShardMail>& mail() noexcept { return mail_; }
  [[nodiscard]] EventLoop& loop() noexcept { return loop_; }

  // For drivers.
  [[nodiscard]] ControlService& service() noexcept { return service_; }
  // What the program wants to know of requests, before their answers leave.
  void tell_hub();
  [[nodiscard]] MutableBytes scratch() noexcept { return scratch_; }
  // Null: there can be none.
  [[nodiscard]] const admin::FaultSource* faults() const noexcept { return faults_; }
  void bury(SessionId session) { dead_.push_back(session); }

  static constexpr std::chrono::milliseconds drain_time{400};

 private:
  void run();
  void handle(ShardMail& mail);
  void on(CoordEvent& event);
  void on(NewConnection& connection);
  void on(EndSessions&);
  void on(Drain&);
  void flush_touched();
  void settle();

  EventLoop loop_;
  Mailbox<ShardMail> mail_;
  const std::size_t index_;
  const ServerConfig& config_;
  Mailbox<HubMail>& hub_;
  const admin::FaultSource* const faults_;
  const std::unique_ptr<Entropy> entropy_;
  BlockPool blocks_;
  SlotPool slots_;
  CipherScratch cipher_;
  noise::HandshakeCache handshakes_;
  std::vector<std::uint8_t> scratch_;  // what is read, hot in the cache, shared by all connections
  ControlService service_;
  std::unordered_map<SessionId, std::unique_ptr<ConnectionDriver>> drivers_;
  std::vector<SessionId> dead_;
  std::optional<SessionId> touched_;  // by the coordinator's events, and not yet flushed
  std::vector<HubMail> to_hub_;
  std::uint64_t next_session_ = 1;
  std::optional<Instant> drain_until_;
  struct DrainClock final : EventLoop::Watcher {  // wakes the loop when the time for draining is over
    void on_ready(bool, bool) override {}
    void on_deadline() override {}
  } drain_clock_;
  std::thread thread_;
};

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// One socket and its ServerConnection.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/socket.h"
#include "common/tls_stream.h"
#include "ts2021/admin/connection_faults.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/coord/id.h"
#include "ts2021d/event_loop.h"
#include "ts2021d/tls_context.h"

namespace ts2021::app {

class Shard;

class ConnectionDriver final : public EventLoop::Watcher {
 public:
  // `tls`: null for plain HTTP. `tracer`: may be null.
  ConnectionDriver(Shard& shard, SessionId session, Fd socket, const TlsContext& tls, std::string peer,
                   std::unique_ptr<Tracer> tracer, const ServerConfig& config, Env env);
  ~ConnectionDriver() override;

  void on_ready(bool readable, bool writable) override;
  void on_deadline() override;
  // Takes events and sends what there is; call after anything that may have made either.
  void flush();
  void drain();

 private:
  bool take_events(Now now);
  void read(Now now);
  void write(Now now);
  void write_faulty(Now now);
  void flush(Now now);
  IoResult send(std::span<const Bytes> pieces);
  [[nodiscard]] std::optional<Instant> next_timeout() const;
  void closed(const Error& why);
  void linger();
  void die();

  Shard& shard_;
  const SessionId session_;
  Fd socket_;
  const std::unique_ptr<TlsStream> tls_;  // the deadline of a request's head is that of its handshake too
  const std::string peer_;
  const std::unique_ptr<Tracer> tracer_;
  const std::unique_ptr<admin::ConnectionFaults> faults_;  // servers for tests only
  ServerConnection connection_;
  std::optional<Instant> linger_until_;
  bool watching_read_ = true, watching_write_ = false, blocked_ = false, dead_ = false;
};

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/connection_driver.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <utility>

#include "common/clock.h"
#include "ts2021d/shard.h"

namespace ts2021::app {
namespace {

// How long a closed connection still takes and drops input, so that its last bytes are not lost to a reset.
constexpr std::chrono::milliseconds linger_time{1000};

Env traced(Env env, Tracer* tracer) {
  env.tracer = tracer;
  return env;
}

}  // namespace

ConnectionDriver::ConnectionDriver(Shard& shard, SessionId session, Fd socket, const TlsContext& tls,
                                   std::string peer, std::unique_ptr<Tracer> tracer,
                                   const ServerConfig& config, Env env)
    : shard_(shard),
      session_(session),
      socket_(std::move(socket)),
      tls_(tls ? std::make_unique<TlsStream>(*tls, socket_.get()) : nullptr),
      peer_(std::move(peer)),
      tracer_(std::move(tracer)),
      connection_(config, traced(env, tracer_.get()), now()) {
  shard_.loop().watch(socket_.get(), *this, true, false);  // may throw: attached to nothing yet
  shard_.service().attach(session_, connection_, tracer_.get());
  shard_.loop().set_deadline(*this, connection_.next_timeout());
}

ConnectionDriver::~ConnectionDriver() {
  if (!linger_until_) shard_.service().detach(session_);
  shard_.loop().forget(socket_.get(), *this);
}

void ConnectionDriver::on_ready(bool readable, bool writable) {
  if (dead_) return;
  if (linger_until_) return linger();
  if (writable) blocked_ = false;
  if (readable || (writable && tls_ && tls_->read_wants_write())) read();
  flush();
}

void ConnectionDriver::on_deadline() {
  if (dead_) return;
  if (linger_until_) {
    if (now().mono < *linger_until_) return shard_.loop().set_deadline(*this, linger_until_);
    return die();
  }
  connection_.handle_timeout(now());
  flush();
}

void ConnectionDriver::read() {
  if (!connection_.wants_input()) {
    // Unasked, only a broken socket is reported, and again and again.
    if (!watching_read_) connection_.output_failed(now());
    return;
  }
  const IoResult got = tls_ ? tls_->read(shard_.scratch()) : read_some(socket_.get(), shard_.scratch());
  if (got.what == Io::some) {
    (void)connection_.receive(shard_.scratch().first(got.count), now());
  } else if (got.what != Io::blocked) {
    connection_.receive_end(now());
  }
}

bool ConnectionDriver::write() {
  std::array<Bytes, 16> pieces;
  bool sent_any = false;
  while (!blocked_) {
    const std::size_t count = connection_.output(pieces, now());
    if (count == 0) break;
    const auto ready = std::span<const Bytes>(pieces).first(count);
    const IoResult sent = tls_ ? tls_->write(ready.front()) : write_some(socket_.get(), ready);
    if (sent.what == Io::blocked) {
      blocked_ = true;
    } else if (sent.what != Io::some) {
      connection_.output_failed(now());
      return true;
    } else {
      connection_.output_sent(sent.count, now());
      sent_any = true;
    }
  }
  return sent_any;
}

bool ConnectionDriver::take_events() {
  bool any = false;
  while (auto event = connection_.next_event()) {
    any = true;
    if (const auto* end = std::get_if<event::Closed>(&*event)) {
      closed(end->why);
      return false;
    }
    shard_.service().handle(session_, *event, now());
  }
  return any;
}

void ConnectionDriver::flush() {
  if (dead_ || linger_until_) return;
  for (bool busy = true; busy;) {
    busy = take_events();
    if (linger_until_) return;
    if (write()) busy = true;
    if (take_events()) busy = true;  // Closed follows the last byte
    if (linger_until_) return;
  }
  const bool read_blocked = tls_ && tls_->read_wants_write();
  const bool want_read = connection_.wants_input() && !read_blocked, want_write = blocked_ || read_blocked;
  if (want_read != watching_read_ || want_write != watching_write_) {
    watching_read_ = want_read;
    watching_write_ = want_write;
    shard_.loop().change(socket_.get(), *this, want_read, want_write);
  }
  shard_.loop().set_deadline(*this, connection_.next_timeout());
}

void ConnectionDriver::drain() {
  if (dead_ || linger_until_) return;
  shard_.service().drain(session_, now());
  flush();
}

void ConnectionDriver::closed(const Error& why) {
  spdlog::debug("{}: closed: {} (check {}, detail {}){}{}", peer_, text(why.code), why.origin, why.detail,
                tls_ && !tls_->error().empty() ? "; TLS: " : "", tls_ ? tls_->error() : "");
  if (tls_) tls_->close();
  shard_.service().detach(session_);
  linger_until_ = now().mono + linger_time;
  shutdown(socket_.get(), SHUT_WR);
  shard_.loop().change(socket_.get(), *this, true, false);
  shard_.loop().set_deadline(*this, linger_until_);
  linger();
}

void ConnectionDriver::linger() {
  const IoResult got = read_some(socket_.get(), shard_.scratch());
  if (got.what == Io::some || got.what == Io::blocked) return;
  die();
}

void ConnectionDriver::die() {
  dead_ = true;
  shard_.bury(session_);
}

}  // namespace ts2021::app

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

Env watched(Env env, Tracer* tracer, Tamper* tamper) {
  env.tracer = tracer;
  env.tamper = tamper;
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
      faults_(shard.faults() ? std::make_unique<admin::ConnectionFaults>(*shard.faults()) : nullptr),
      connection_(config, watched(env, tracer_.get(), faults_.get()), now()) {
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
  const Now at = now();
  if (readable || (writable && tls_ && tls_->read_wants_write())) read(at);
  flush(at);
}

void ConnectionDriver::on_deadline() {
  if (dead_) return;
  const Now at = now();
  if (linger_until_) {
    if (at.mono < *linger_until_) return shard_.loop().set_deadline(*this, linger_until_);
    return die();
  }
  connection_.handle_timeout(at);
  flush(at);
}

void ConnectionDriver::read(Now now) {
  if (!connection_.wants_input()) {
    // Unasked, only a broken socket is reported, and again and again.
    if (!watching_read_) connection_.output_failed(now);
    return;
  }
  const IoResult got = tls_ ? tls_->read(shard_.scratch()) : read_some(socket_.get(), shard_.scratch());
  if (got.what == Io::some) {
    (void)connection_.receive(shard_.scratch().first(got.count), now);
  } else if (got.what != Io::blocked) {
    connection_.receive_end(now);
  }
}

IoResult ConnectionDriver::send(std::span<const Bytes> pieces) {
  return tls_ ? tls_->write(pieces.front()) : write_some(socket_.get(), pieces);
}

// As write(), with what a test wants to go wrong.
void ConnectionDriver::write_faulty(Now now) {
  while (!blocked_) {
    const Bytes ready = faults_->output(connection_, now);
    if (ready.empty()) break;
    const IoResult sent = send({&ready, 1});
    if (sent.what == Io::blocked) {
      blocked_ = true;
    } else if (sent.what != Io::some) {
      return connection_.output_failed(now);
    } else {
      faults_->sent(connection_, sent.count, now);
    }
  }
  using End = admin::ConnectionFaults::End;
  const End end = faults_->end();
  if (end == End::half_close) {
    shutdown(socket_.get(), SHUT_WR);
    faults_->half_closed();
  } else if (end != End::none) {
    connection_.output_failed(now);
  }
}

std::optional<Instant> ConnectionDriver::next_timeout() const {
  const auto own = connection_.next_timeout(), fault = faults_ ? faults_->next_timeout() : std::nullopt;
  return !own || (fault && *fault < *own) ? fault : own;
}

void ConnectionDriver::write(Now now) {
  if (faults_) return write_faulty(now);
  std::array<Bytes, 16> pieces;
  while (!blocked_) {
    const std::size_t count = connection_.output(pieces, now);
    if (count == 0) return;
    const IoResult sent = send(std::span<const Bytes>(pieces).first(count));
    if (sent.what == Io::blocked) {
      blocked_ = true;
    } else if (sent.what != Io::some) {
      return connection_.output_failed(now);
    } else {
      connection_.output_sent(sent.count, now);
    }
  }
}

bool ConnectionDriver::take_events(Now now) {
  bool any = false;
  while (auto event = connection_.next_event()) {
    any = true;
    if (const auto* end = std::get_if<event::Closed>(&*event)) {
      closed(end->why);
      return false;
    }
    if (faults_) faults_->on_event(*event);
    shard_.service().handle(session_, *event, now);
    shard_.tell_hub();
  }
  return any;
}

void ConnectionDriver::flush() { flush(now()); }

void ConnectionDriver::flush(Now now) {
  if (dead_ || linger_until_) return;
  (void)take_events(now);
  do {
    if (linger_until_) return;
    write(now);
  } while (take_events(now));  // answers to what came while output left; Closed follows the last byte
  if (linger_until_) return;
  const bool read_blocked = tls_ && tls_->read_wants_write();
  const bool want_read = connection_.wants_input() && !read_blocked, want_write = blocked_ || read_blocked;
  if (want_read != watching_read_ || want_write != watching_write_) {
    watching_read_ = want_read;
    watching_write_ = want_write;
    shard_.loop().change(socket_.get(), *this, want_read, want_write);
  }
  shard_.loop().set_deadline(*this, next_timeout());
}

void ConnectionDriver::drain() {
  if (dead_ || linger_until_) return;
  shard_.service().drain(session_, now());
  flush();
}

void ConnectionDriver::closed(const Error& why) {
  spdlog::debug("{}: closed: {} (check {}, detail {}){}{}", peer_, text(why.code), why.origin, why.detail,
                tls_ && !tls_->error().empty() ? "; TLS: " : "", tls_ ? tls_->error() : "");
  shard_.service().detach(session_);
  linger_until_ = now().mono + linger_time;
  if (faults_ && faults_->end() == admin::ConnectionFaults::End::reset) {
    const struct ::linger at_once { .l_onoff = 1, .l_linger = 0 };
    setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return die();
  }
  if (tls_) tls_->close();
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

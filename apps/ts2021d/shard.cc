// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/shard.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

#include "common/clock.h"
#include "ts2021d/connection_driver.h"

namespace ts2021::app {
namespace {

constexpr std::size_t max_blocks = 16384;       // 256 MiB of output and split records per thread
constexpr std::size_t scratch_size = 64 << 10;  // bytes per read

}  // namespace

Shard::Shard(std::size_t index, const ServerConfig& config, const ServiceConfig& service,
             noise::HandshakeCacheLimits handshakes, std::unique_ptr<Entropy> entropy, Mailbox<HubMail>& hub,
             const admin::FaultSource* faults)
    : mail_(loop_),
      index_(index),
      config_(config),
      hub_(hub),
      faults_(faults),
      entropy_(std::move(entropy)),
      blocks_(max_blocks),
      handshakes_(*entropy_, handshakes),
      scratch_(scratch_size),
      service_(service, *entropy_) {}

Shard::~Shard() {
  if (thread_.joinable()) thread_.join();
}

void Shard::start() {
  thread_ = std::thread([this] { run(); });
}

void Shard::run() {
  std::vector<ShardMail> batch;
  while (true) {
    const bool go_on = loop_.run_once(!handshakes_.wants_ephemeral());
    batch.clear();
    mail_.take(batch);
    for (ShardMail& mail : batch) handle(mail);
    settle();
    if (loop_.idle() && batch.empty()) handshakes_.make_ephemeral();
    if (!go_on || (drain_until_ && (drivers_.empty() || now().mono >= *drain_until_))) break;
  }
  loop_.forget(-1, drain_clock_);
  drivers_.clear();
}

void Shard::handle(ShardMail& mail) {
  std::visit([this](auto& m) { on(m); }, mail);
}

// What comes in a row for one connection leaves together; then the connection is not looked at again, as its
// memory would have to come back into the cache.
void Shard::on(CoordEvent& event) {
  const auto session = service_.on_event(event, now());
  if (!session || session == touched_) return;
  flush_touched();
  touched_ = session;
}

void Shard::flush_touched() {
  if (!touched_) return;
  const SessionId session = *std::exchange(touched_, std::nullopt);
  if (const auto found = drivers_.find(session); found != drivers_.end()) found->second->flush();
}

void Shard::on(NewConnection& connection) {
  const auto session =
      static_cast<SessionId>((std::uint64_t{index_} << session_shard_bits) | next_session_++);
  try {
    drivers_.emplace(session, std::make_unique<ConnectionDriver>(
                                  *this, session, std::move(connection.socket), connection.tls,
                                  std::move(connection.peer), std::move(connection.tracer), config_,
                                  Env{*entropy_, blocks_, cipher_, &handshakes_, nullptr, nullptr, &slots_}));
  } catch (const std::exception& error) {
    spdlog::warn("dropped a new connection: {}", error.what());
  }
}

void Shard::on(EndSessions&) {
  for (auto& [session, driver] : drivers_) driver->flush();
  drivers_.clear();
  settle();
  hub_.post(SessionsEnded{index_});
}

void Shard::on(Drain&) {
  drain_until_ = now().mono + drain_time;
  for (auto& [session, driver] : drivers_) driver->drain();
  loop_.set_deadline(drain_clock_, drain_until_);
}

void Shard::tell_hub() {
  while (auto event = service_.next_own_event()) {
    auto* const unrouted = std::get_if<own_event::Unrouted>(&*event);
    if (!unrouted) continue;  // the program has no rows of its own
    auto& [session, machine, request] = *unrouted;
    hub_.post(admin::Unrouted{machine, std::move(request.method), std::move(request.path),
                              request.site == Site::noise});
  }
}

// After a batch: the last flush, burials, and the coordinator's mail.
void Shard::settle() {
  flush_touched();
  for (const SessionId session : dead_) drivers_.erase(session);
  dead_.clear();
  while (auto input = service_.next_input()) to_hub_.emplace_back(*std::move(input));
  hub_.post(to_hub_);
}

}  // namespace ts2021::app

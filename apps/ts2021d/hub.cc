// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/hub.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <utility>

#include "common/clock.h"
#include "ts2021/coord/policy.h"
#include "ts2021d/tailnet_files.h"

namespace ts2021::app {
namespace {

constexpr int accepts_per_turn = 64;
// Without descriptors or memory the listener stays readable: it is left alone for a while, and told of
// seldom.
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::seconds complaint_pause{10};

std::string_view text(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::joined:
      return "joined";
    case NoticeKind::refused:
      return "refused";
    case NoticeKind::online:
      return "online";
    case NoticeKind::offline:
      return "offline";
    case NoticeKind::logged_out:
      return "logged out";
    case NoticeKind::expired:
      return "expired";
    case NoticeKind::removed:
      return "removed";
    case NoticeKind::reported:
      return "reported by";
  }
  return "";
}

CoordinatorConfig with_files(CoordinatorConfig config, const Hub::Options& options) {
  if (!options.derp_map.empty()) config.derp_map = read_derp_map(options.derp_map);
  return config;
}

std::shared_ptr<const Policy> first_policy(const Hub::Options& options) {
  if (options.policy.empty()) return std::make_shared<AllowAll>();
  return read_policy(options.policy, options.roles);
}

// Only in servers for tests.
std::unique_ptr<FaultBoard> first_faults(const Hub::Options& options) {
  if (!options.desk && !options.faults) return nullptr;
  auto board = std::make_unique<FaultBoard>();
  board->set(options.faults);
  return board;
}

}  // namespace

Hub::Hub(const ServerConfig& server, const ServiceConfig& service, CoordinatorConfig coordinator,
         const Options& options)
    : options_(options),
      budget_({.per_second = options.connects_per_second, .burst = 5 * options.connects_per_second}),
      mail_(loop_),
      faults_(first_faults(options)),
      coordination_({.config = with_files(std::move(coordinator), options),
                     .policy = first_policy(options),
                     .client_version = options.client_version,
                     .randomness = options.randomness,
                     .virtual_clock = options.virtual_clock,
                     .desk = options.desk,
                     .faults = faults_.get()}),
      ending_(options.threads) {
  for (std::size_t i = 0; i < options.threads; ++i)
    shards_.push_back(std::make_unique<Shard>(i, server, service, options.handshakes,
                                              options.randomness.stream(Randomness::Stream::first_shard, i),
                                              mail_, faults_.get()));
  outboxes_.resize(options.threads);
  if (options.tls) tls_ = open_tls(*options.tls);
}

Hub::~Hub() {
  loop_.forget(plain_.fd.get(), plain_);
  loop_.forget(secure_.fd.get(), secure_);
  loop_.forget(signals_.fd.get(), signals_);
  loop_.forget(-1, timer_);
}

void Hub::run(Fd plain, Fd secure, Fd admin, const std::string& admin_path) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  signals_.fd = Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.fd) throw std::runtime_error("signalfd failed");
  loop_.watch(signals_.fd.get(), signals_, true, false);
  listen(plain_, std::move(plain));
  if (secure) listen(secure_, std::move(secure));
  if (options_.desk)
    admin_ = std::make_unique<AdminListener>(loop_, std::move(admin), admin_path, options_.desk->token);
  for (auto& shard : shards_) shard->start();

  coordination_.start();
  pump();
  while (loop_.run_once()) pump();

  spdlog::info("stopping");
  admin_.reset();
  for (auto& shard : shards_) shard->mail().post(ShardMail(Drain{}));
  shards_.clear();  // joins
}

void Hub::listen(Listener& listener, Fd fd) {
  listener.fd = std::move(fd);
  loop_.watch(listener.fd.get(), listener, true, false);
}

void Hub::accept(Listener& listener) {
  for (int i = 0; i < accepts_per_turn; ++i) {
    Peer peer;
    Fd socket = accept_from(listener.fd, peer);
    if (!socket) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) continue;  // that connection only
      return pause_accepting(listener, errno);
    }
    const bool limited = options_.connects_per_second > 0 && (options_.limit_loopback || !peer.loopback);
    if (limited && !budget_.admit(peer.address, now().mono)) {
      spdlog::debug("{}: refused: too many connections from this address", peer.text);
      continue;
    }
    spdlog::debug("{}: connected", peer.text);
    auto tracer = options_.capture ? options_.capture->trace(peer.text) : nullptr;
    outboxes_[next_shard_].emplace_back(NewConnection{std::move(socket), listener.tls ? tls_ : nullptr,
                                                      std::move(peer.text), std::move(tracer)});
    next_shard_ = (next_shard_ + 1) % shards_.size();
  }
}

void Hub::pause_accepting(Listener& listener, int error) {
  const Instant at = now().mono;
  if (!complain_after_ || *complain_after_ <= at) {
    spdlog::warn("can't accept connections: {}", std::generic_category().message(error));
    complain_after_ = at + complaint_pause;
  }
  loop_.change(listener.fd.get(), listener, false, false);
  loop_.set_deadline(listener, at + accept_pause);
}

void Hub::resume_accepting(Listener& listener) { loop_.change(listener.fd.get(), listener, true, false); }

void Hub::obey_signals() {
  signalfd_siginfo signal{};
  while (read(signals_.fd.get(), &signal, sizeof signal) == sizeof signal)
    signal.ssi_signo == SIGHUP ? reload() : loop_.stop();
}

// What is unusable changes nothing.
void Hub::reload() {
  const auto again = [](std::string_view what, auto read) {
    try {
      read();
      spdlog::info("{}: read again", what);
    } catch (const std::exception& error) {
      spdlog::error("{}: the old stays in force: {}", what, error.what());
    }
  };
  if (options_.tls) again("certificate", [this] { tls_ = open_tls(*options_.tls); });
  if (!options_.derp_map.empty())
    again("relays",
          [this] { coordination_.order(coord_command::SetDERPMap{read_derp_map(options_.derp_map)}); });
  if (!options_.policy.empty())
    again("policy", [this] {
      coordination_.order(coord_command::SetPolicy{read_policy(options_.policy, options_.roles)});
    });
}

// An old session is not heard of again once its shard has said so: what it still said meanwhile is dropped.
void Hub::take_mail() {
  batch_.clear();
  mail_.take(batch_);
  for (HubMail& mail : batch_) {
    if (const auto* ended = std::get_if<SessionsEnded>(&mail)) {
      ending_[ended->shard] = false;
      if (std::find(ending_.begin(), ending_.end(), true) == ending_.end()) coordination_.reset();
    } else if (auto* unrouted = std::get_if<admin::Unrouted>(&mail)) {
      if (admin_) coordination_.handle(std::move(*unrouted));
    } else if (const auto& input = std::get<CoordInput>(mail);
               !ending_[shard_of(std::visit([](const auto& i) { return i.session; }, input))]) {
      coordination_.handle(input);
    }
  }
}

// After the mail, so that requests see what was there before they were made.
void Hub::take_admin_news() {
  if (!admin_ || coordination_.wants_reset()) return;
  admin_news_.clear();
  admin_->take(admin_news_);
  for (AdminNews& news : admin_news_) {
    if (const auto* gone = std::get_if<AdminCallGone>(&news))
      coordination_.cancel(gone->call);
    else
      coordination_.handle(std::move(std::get<admin::Request>(news)));
  }
}

void Hub::end_sessions() {
  if (std::find(ending_.begin(), ending_.end(), true) != ending_.end()) return;
  ending_.assign(shards_.size(), true);
  for (auto& outbox : outboxes_) outbox.emplace_back(EndSessions{});
}

void Hub::pump() {
  take_mail();
  take_admin_news();
  coordination_.pump();
  while (auto event = coordination_.next_event()) {
    std::visit(
        [&](auto& e) {
          using Event = std::decay_t<decltype(e)>;
          if constexpr (std::is_same_v<Event, coord_event::Notice>)
            log(e);
          else if constexpr (std::is_same_v<Event, coord_event::CommandDone>)
            log(e);
          else if constexpr (requires { e.session; })
            if (const std::size_t shard = shard_of(e.session); shard < outboxes_.size())
              outboxes_[shard].emplace_back(CoordEvent(std::move(e)));
        },
        *event);
  }
  while (const auto answer = coordination_.next_answer()) admin_->answer(*answer);
  if (coordination_.wants_reset()) end_sessions();
  for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i]->mail().post(outboxes_[i]);
  loop_.set_deadline(timer_, coordination_.next_timeout());
}

void Hub::log(const coord_event::CommandDone& done) {
  if (done.status != 200)
    spdlog::error("order {} failed: {}", static_cast<std::uint64_t>(done.command), done.text);
}

void Hub::log(const coord_event::Notice& notice) {
  const auto level = notice.kind == NoticeKind::refused ? spdlog::level::warn : spdlog::level::info;
  spdlog::log(level, "{} {}{} (node {}, machine {}){}{}{}{}", text(notice.kind),
              notice.name.empty() ? "a node" : "", notice.name, static_cast<std::uint64_t>(notice.node),
              notice.machine.short_text(), notice.text.empty() ? "" : ": ", notice.text,
              notice.detail.empty() ? "" : ": ", notice.detail);
}

}  // namespace ts2021::app

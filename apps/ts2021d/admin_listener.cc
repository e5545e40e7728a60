// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/admin_listener.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <system_error>
#include <utility>

#include "common/clock.h"
#include "ts2021d/admin_connection.h"

namespace ts2021::app {
namespace {

constexpr std::size_t max_blocks = 16 * AdminListener::max_connections;  // 64 MiB of output
constexpr std::size_t scratch_size = 64 << 10;                           // bytes per read
// Without descriptors or memory the listener stays readable: it is left alone for a while.
constexpr std::chrono::milliseconds accept_pause{100};

}  // namespace

AdminListener::AdminListener(EventLoop& loop, Fd socket, std::string path, std::string token)
    : loop_(loop),
      socket_(std::move(socket)),
      path_(std::move(path)),
      token_(std::move(token)),
      blocks_(max_blocks),
      scratch_(scratch_size) {
  loop_.watch(socket_.get(), *this, true, false);
}

AdminListener::~AdminListener() {
  connections_.clear();
  loop_.forget(socket_.get(), *this);
  if (!path_.empty()) unlink(path_.c_str());
}

void AdminListener::on_ready(bool, bool) {
  while (connections_.size() < max_connections) {
    Peer peer;
    Fd socket = accept_from(socket_, peer);
    if (!socket) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) continue;  // that connection only
      spdlog::warn("admin: can't accept connections: {}", std::generic_category().message(errno));
      loop_.set_deadline(*this, now().mono + accept_pause);
      break;
    }
    try {
      auto connection = std::make_unique<AdminConnection>(*this, std::move(socket));
      connections_.emplace(connection.get(), std::move(connection));
    } catch (const std::exception& error) {
      spdlog::warn("admin: dropped a new connection: {}", error.what());
    }
  }
  listening_ = false;
  loop_.change(socket_.get(), *this, false, false);
}

void AdminListener::on_deadline() { listen_again(); }

void AdminListener::listen_again() {
  if (std::exchange(listening_, true)) return;
  loop_.change(socket_.get(), *this, true, false);
}

void AdminListener::take(std::vector<AdminNews>& out) {
  out.swap(news_);
  if (dead_.empty()) return;
  for (AdminConnection* const connection : std::exchange(dead_, {})) connections_.erase(connection);
  listen_again();
}

admin::CallId AdminListener::begin(AdminConnection& connection, admin::Request request) {
  request.call = admin::CallId{++last_call_};
  waiting_.emplace(request.call, &connection);
  news_.emplace_back(std::move(request));
  return admin::CallId{last_call_};
}

void AdminListener::end(admin::CallId call, bool gone) {
  waiting_.erase(call);
  if (gone) news_.emplace_back(AdminCallGone{call});
}

void AdminListener::answer(const admin::Answer& answer) {
  const auto found = waiting_.find(answer.call);
  if (found != waiting_.end()) found->second->answer(answer);
}

}  // namespace ts2021::app

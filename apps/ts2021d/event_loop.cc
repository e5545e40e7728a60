// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>

#include "common/clock.h"

namespace ts2021::app {
namespace {

constexpr std::uint32_t events_of(bool read, bool write) noexcept {
  return (read ? std::uint32_t{EPOLLIN} : 0u) | (write ? std::uint32_t{EPOLLOUT} : 0u);
}

void control(const Fd& epoll, int op, int fd, void* data, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = data;
  if (epoll_ctl(epoll.get(), op, fd, &event) != 0) throw std::runtime_error("epoll_ctl failed");
}

}  // namespace

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!epoll_ || !wake_) throw std::runtime_error("can't make an event loop");
  control(epoll_, EPOLL_CTL_ADD, wake_.get(), nullptr, EPOLLIN);
}

void EventLoop::watch(int fd, Watcher& watcher, bool read, bool write) {
  control(epoll_, EPOLL_CTL_ADD, fd, &watcher, events_of(read, write));
}

void EventLoop::change(int fd, Watcher& watcher, bool read, bool write) {
  control(epoll_, EPOLL_CTL_MOD, fd, &watcher, events_of(read, write));
}

void EventLoop::forget(int fd, Watcher& watcher) {
  if (fd >= 0) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  if (watcher.queued_) deadlines_.erase({*watcher.queued_, &watcher});
  watcher.queued_.reset();
  std::replace(batch_.begin(), batch_.end(), &watcher, static_cast<Watcher*>(nullptr));
}

void EventLoop::set_deadline(Watcher& watcher, std::optional<Instant> deadline) {
  if (!deadline || (watcher.queued_ && *watcher.queued_ <= *deadline)) return;
  if (watcher.queued_) deadlines_.erase({*watcher.queued_, &watcher});
  deadlines_.insert({*deadline, &watcher});
  watcher.queued_ = deadline;
}

bool EventLoop::run_once(bool wait) {
  using namespace std::chrono;
  int timeout = wait ? -1 : 0;
  if (wait && !deadlines_.empty()) {
    const auto left = ceil<milliseconds>(deadlines_.begin()->first - now().mono).count();
    timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  std::array<epoll_event, 128> ready{};
  const int count = epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), timeout);
  if (count < 0 && errno != EINTR) throw std::runtime_error("epoll_wait failed");
  batch_.clear();
  for (int i = 0; i < count; ++i) {
    const auto& event = ready[static_cast<std::size_t>(i)];
    batch_.push_back(static_cast<Watcher*>(event.data.ptr));
    if (event.data.ptr) continue;
    std::uint64_t wakes = 0;
    [[maybe_unused]] const auto n = ::read(wake_.get(), &wakes, sizeof wakes);
  }
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    if (!batch_[i]) continue;  // the wake-up, or forgotten meanwhile
    const std::uint32_t events = ready[i].events;
    batch_[i]->on_ready((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0, (events & EPOLLOUT) != 0);
  }
  const bool served = serve_deadlines();
  idle_ = count <= 0 && !served;
  return !stopped_.load(std::memory_order_relaxed);
}

bool EventLoop::serve_deadlines() {
  const Instant until = now().mono;
  bool any = false;
  while (!deadlines_.empty() && deadlines_.begin()->first <= until) {
    Watcher* const watcher = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    watcher->queued_.reset();
    watcher->on_deadline();
    any = true;
  }
  return any;
}

void EventLoop::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void EventLoop::stop() noexcept {
  stopped_.store(true, std::memory_order_relaxed);
  wake();
}

}  // namespace ts2021::app

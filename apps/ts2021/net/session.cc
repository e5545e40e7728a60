// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/net/session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace ts2021::app {
namespace {

ClientConfig with_host(ClientConfig config, const std::string& host) {
  config.host = host;
  return config;
}

}  // namespace

Session::Session(ByteStream stream, const std::string& host, ClientConfig config, Tracer* tracer)
    : stream_(std::move(stream)),
      connection_(with_host(std::move(config), host),
                  Env{entropy_, blocks_, cipher_, nullptr, tracer, nullptr}, now()),
      scratch_(64 << 10) {}

Session::Session(const ControlUrl& url, const DialOptions& options, ClientConfig config)
    : Session(dial(url, options), url.host, std::move(config)) {}

bool Session::flush(const OnEvent& on_event) {
  bool over = false;
  const auto take_events = [&] {
    bool any = false;
    while (!over) {
      const auto event = connection_.next_event();
      if (!event) break;
      any = true;
      if (const auto* ready = std::get_if<event::Ready>(&*event))
        early_payload_ = std::string(as_text(ready->early_payload));
      else if (const auto* closed = std::get_if<event::Closed>(&*event))
        closed_ = closed->why;
      over = !on_event(*event) || closed_;
    }
    return any;
  };
  for (bool busy = true; busy && !over;) {
    busy = take_events();
    if (over) break;
    std::array<Bytes, 16> pieces;
    while (!blocked_) {
      const std::size_t count = connection_.output(pieces, now());
      if (count == 0) break;
      const IoResult sent = stream_.write(std::span(pieces).first(count));
      if (sent.what == Io::some) {
        connection_.output_sent(sent.count, now());
        busy = true;
      } else if (sent.what == Io::blocked) {
        blocked_ = true;
      } else {
        connection_.output_failed(now());
        busy = true;
        break;
      }
    }
    if (take_events()) busy = true;  // Closed follows the last byte
  }
  return !over;
}

pollfd Session::interest() const noexcept {
  return {stream_.fd(),
          static_cast<short>((connection_.wants_input() ? POLLIN : 0) | (blocked_ ? POLLOUT : 0)), 0};
}

void Session::on_ready(short revents) {
  if (revents & POLLOUT) blocked_ = false;
  if (revents & (POLLIN | POLLHUP | POLLERR)) {
    const IoResult got = stream_.read(scratch_);
    if (got.what == Io::some)
      (void)connection_.receive(MutableBytes(scratch_).first(got.count), now());
    else if (got.what != Io::blocked)
      connection_.receive_end(now());
  }
  connection_.handle_timeout(now());
}

int poll_timeout(std::optional<Instant> wake) {
  if (!wake) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*wake - now().mono).count();
  return static_cast<int>(std::clamp<std::int64_t>(wait, 0, 60'000));
}

Result<std::string> Session::ready(std::optional<Instant> until) {
  if (!early_payload_ && !closed_) run([this](const ClientEvent&) { return !early_payload_; }, {}, until);
  if (early_payload_) return *early_payload_;
  return closed_ ? *closed_ : fail(Errc::timeout, 0);
}

void Session::run(const OnEvent& on_event, const std::function<std::optional<Instant>()>& tick,
                  std::optional<Instant> until) {
  while (!closed_ && flush(on_event)) {
    std::optional<Instant> wake = connection_.next_timeout();
    const auto earliest = [&](std::optional<Instant> other) {
      if (other && (!wake || *other < *wake)) wake = other;
    };
    if (tick) earliest(tick());
    earliest(until);
    if (until && now().mono >= *until) return;
    pollfd waiting = interest();
    poll(&waiting, 1, poll_timeout(wake));
    on_ready(waiting.revents);
  }
}

}  // namespace ts2021::app

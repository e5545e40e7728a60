// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace ts2021::app {
namespace {

constexpr int connect_timeout_ms = 10'000;

ClientConfig with_host(ClientConfig config, const ControlUrl& url) {
  config.host = url.host;
  return config;
}

}  // namespace

ControlUrl parse_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) throw std::runtime_error("the URL must begin with http://");
  std::string_view host = url.substr(scheme.size());
  while (host.ends_with('/')) host.remove_suffix(1);
  if (host.empty() || host.find('/') != std::string_view::npos)
    throw std::runtime_error("a control URL has a host and no path");
  const bool has_port = host.find(':', host.rfind(']') == std::string_view::npos ? 0 : host.rfind(']')) !=
                        std::string_view::npos;
  const auto endpoint = parse_endpoint(has_port ? std::string(host) : std::string(host) + ":80");
  if (!endpoint || endpoint->host.empty() || endpoint->port == 0)
    throw std::runtime_error("not a host and port");
  return {*endpoint, std::string(host)};
}

Session::Session(const ControlUrl& url, ClientConfig config)
    : socket_(connect_to(url.endpoint, connect_timeout_ms)),
      connection_(with_host(std::move(config), url), Env{entropy_, blocks_, cipher_}, now()),
      scratch_(64 << 10) {}

bool Session::flush(const OnEvent& on_event) {
  bool over = false;
  const auto take_events = [&] {
    bool any = false;
    while (!over) {
      const auto event = connection_.next_event();
      if (!event) break;
      any = true;
      over = !on_event(*event) || std::holds_alternative<event::Closed>(*event);
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
      const IoResult sent = write_some(socket_.get(), std::span(pieces).first(count));
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
  return {socket_.get(),
          static_cast<short>((connection_.wants_input() ? POLLIN : 0) | (blocked_ ? POLLOUT : 0)), 0};
}

void Session::on_ready(short revents) {
  if (revents & POLLOUT) blocked_ = false;
  if (revents & (POLLIN | POLLHUP | POLLERR)) {
    const IoResult got = read_some(socket_.get(), scratch_);
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

void Session::run(const OnEvent& on_event, const std::function<std::optional<Instant>()>& tick,
                  std::optional<Instant> until) {
  while (flush(on_event)) {
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

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/admin_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021d/admin_listener.h"

namespace ts2021::app {
namespace {

constexpr std::size_t max_output = 256 << 10;
// Between requests, and within one that makes no progress. Who waits for an answer may wait.
constexpr std::chrono::seconds idle_time{75};

// How long a connection that is over still takes and drops input, so that its last answer is not lost to a
// reset.
constexpr std::chrono::milliseconds linger_time{1000};

constexpr std::string_view json = "application/json", error_before = R"({"error":")", error_after = R"("})";

entry::Http1Options options(const AdminListener& home) {
  return {.error_type = json,
          .error_before = error_before,
          .error_after = error_after,
          .bearer_token = home.token(),
          .open_paths = admin::Desk::open_paths(),
          .upgrades = false};
}

int hex_digit(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::size_t at = digits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '%') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const int high = text.size() < 3 ? -1 : hex_digit(text[1]),
              low = text.size() < 3 ? -1 : hex_digit(text[2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    text.remove_prefix(3);
  }
  return out;
}

// An address, or a name of this machine that nobody else can give to it.
bool is_own_name(std::string_view host) {
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  return host.find_first_not_of("0123456789.") == std::string_view::npos || same_token(host, "localhost");
}

// Pages of other sites in a browser on this machine reach the listener, too, and those of a name that its
// owner lets lead here look like ours. Who bears a token, or opens a Unix socket, is no such page.
bool is_foreign(const Request& request, bool open) {
  const std::string_view origin = find_header(request.headers, "origin");
  const std::string_view host = find_header(request.headers, "host");
  if (open && !is_own_name(host)) return true;
  if (origin.empty()) return false;
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos || !same_token(origin.substr(scheme + 3), host);
}

}  // namespace

AdminConnection::AdminConnection(AdminListener& home, Fd socket)
    : home_(home),
      socket_(std::move(socket)),
      http_(admin::Desk::routes(), entry::Http1Limits{}, options(home)),
      out_(home.blocks(), max_output),
      active_(now().mono) {
  home_.loop().watch(socket_.get(), *this, true, false);
  home_.loop().set_deadline(*this, active_ + idle_time);
}

AdminConnection::~AdminConnection() {
  if (call_) home_.end(*call_, true);
  home_.loop().forget(socket_.get(), *this);
}

void AdminConnection::on_ready(bool readable, bool writable) {
  if (dead_) return;
  if (linger_until_) return linger();
  if (writable) blocked_ = false;
  if (readable) read();
  flush();
}

void AdminConnection::on_deadline() {
  if (dead_ || call_) return;
  const Instant until = linger_until_.value_or(active_ + idle_time);
  if (until <= now().mono) return die();
  home_.loop().set_deadline(*this, until);
}

void AdminConnection::read() {
  if (!http_.wants_input()) {
    // Unasked, only a broken socket is reported, and again and again.
    if (!watching_read_) die();
    return;
  }
  const IoResult got = read_some(socket_.get(), home_.scratch());
  if (got.what == Io::some) {
    active_ = now().mono;
    http_.feed(home_.scratch().first(got.count));
  } else if (got.what == Io::failed || (got.what == Io::ended && call_)) {
    die();  // who has stopped sending while he waits has gone
  } else if (got.what == Io::ended) {
    http_.feed_end();
  }
}

void AdminConnection::begin(const Request& request) {
  if (is_foreign(request, home_.token().empty() && !home_.is_private()))
    return refuse(request, 403, "without a token this is for pages of the server itself, by its address");
  admin::Request asked{{}, request.route, {}, std::string(request.query), std::string(as_text(request.body))};
  for (const std::string_view arg : request.args) {
    if (arg.empty()) break;
    auto decoded = percent_decoded(arg);
    if (!decoded) return refuse(request, 400, "the path has a % that begins no character");
    asked.args.push_back(*std::move(decoded));
  }
  stream_ = request.stream;
  http_.release(stream_);
  call_ = home_.begin(*this, std::move(asked));
}

void AdminConnection::refuse(const Request& request, int status, std::string_view why) {
  std::string body(error_before);
  body.append(why).append(error_after);
  const StreamId stream = request.stream;
  (void)http_.respond(stream, {status, json, {}}, share(body));
  http_.release(stream);
}

void AdminConnection::answer(const admin::Answer& answer) {
  home_.end(*std::exchange(call_, std::nullopt), false);
  std::vector<Header> headers;
  for (const admin::Header& header : answer.headers) headers.push_back({header.name, header.value});
  active_ = now().mono;
  if (!http_.respond(stream_, {answer.status, answer.content_type, headers},
                     answer.content_type.empty() ? nullptr : share(answer.body)))
    return die();
  flush();
  home_.loop().set_deadline(*this, active_ + idle_time);
}

bool AdminConnection::write() {
  std::array<Bytes, 16> pieces;
  while (!blocked_ && !out_.empty()) {
    const auto ready = std::span<const Bytes>(pieces).first(out_.gather(pieces));
    const IoResult sent = write_some(socket_.get(), ready);
    if (sent.what == Io::blocked) {
      blocked_ = true;
    } else if (sent.what != Io::some) {
      die();
      return false;
    } else {
      active_ = now().mono;
      out_.consume(sent.count);
      return true;
    }
  }
  return false;
}

void AdminConnection::flush() {
  for (bool busy = true; busy && !dead_;) {
    busy = false;
    while (auto event = http_.next_event()) {
      begin(std::get<Request>(*event));
      busy = true;
    }
    http_.fill(out_);
    if (write()) busy = true;
  }
  if (dead_) return;
  if (http_.finished() && out_.empty() && http_.pending() == 0) {
    linger_until_ = now().mono + linger_time;
    shutdown(socket_.get(), SHUT_WR);
    home_.loop().change(socket_.get(), *this, true, false);
    home_.loop().set_deadline(*this, linger_until_);
    return linger();
  }
  const bool want_read = http_.wants_input(), want_write = blocked_;
  if (want_read == watching_read_ && want_write == watching_write_) return;
  watching_read_ = want_read;
  watching_write_ = want_write;
  home_.loop().change(socket_.get(), *this, want_read, want_write);
}

void AdminConnection::linger() {
  const IoResult got = read_some(socket_.get(), home_.scratch());
  if (got.what != Io::some && got.what != Io::blocked) die();
}

void AdminConnection::die() {
  if (std::exchange(dead_, true)) return;
  if (call_) home_.end(*std::exchange(call_, std::nullopt), true);
  home_.loop().forget(socket_.get(), *this);  // readable for ever
  home_.bury(*this);
}

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/admin/connection_faults.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ts2021/http/message.h"
#include "ts2021/noise/handshake.h"
#include "ts2021/noise/record.h"

namespace ts2021::admin {
namespace {

constexpr std::size_t max_head = 16 << 10;
constexpr std::string_view head_end = "\r\n\r\n";

// An answer that ends the connection.
std::string answer_text(const FaultRule& rule) {
  const int status = static_cast<int>(rule.status);
  std::string out = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_phrase(status)) + "\r\n";
  if (!rule.location.empty()) out += "Location: " + rule.location + "\r\n";
  if (rule.retry_after) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*rule.retry_after).count();
    out += "Retry-After: " + std::to_string(seconds) + "\r\n";
  }
  return out + "Content-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nfault\n";
}

// Takes the line of a header out of a head; names are as our own answers have them.
void strip_header(std::vector<std::uint8_t>& bytes, std::string_view name) {
  const std::string_view text = as_text(bytes);
  const std::size_t line = text.find("\r\n" + std::string(name) + ":");
  if (line == std::string_view::npos) return;
  const std::size_t end = text.find("\r\n", line + 2);
  bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(line),
              bytes.begin() + static_cast<std::ptrdiff_t>(end));
}

// Another key in the answer of /key: some of its digits are others.
void change_key(MutableBytes answer) {
  constexpr std::string_view name = "\"publicKey\"", prefix = "mkey:";
  const std::string_view text = as_text(answer);
  const std::size_t member = text.find(name);
  const std::size_t at = member == text.npos ? text.npos : text.find(prefix, member);
  if (at == text.npos || answer.size() < at + prefix.size() + 16) return;
  for (std::uint8_t& digit : answer.subspan(at + prefix.size(), 16)) digit = digit == '0' ? '1' : '0';
}

}  // namespace

ConnectionFaults::ConnectionFaults(const FaultSource& source) : source_(source) {
  begin_tcp(ask(FaultEvent::connection));
}

std::optional<FaultRule> ConnectionFaults::ask(FaultEvent event, std::string_view path) const {
  const auto book = source_.faults();
  if (!book) return std::nullopt;
  const FaultRule* rule = book->ask({event, machine_, std::nullopt, path});
  if (!rule) return std::nullopt;
  return *rule;
}

void ConnectionFaults::begin_tcp(std::optional<FaultRule> rule) {
  if (!rule || tcp_) return;
  left_ = rule->after;
  tcp_ = std::move(rule);
}

void ConnectionFaults::on_event(const ServerEvent& event) {
  if (part_ == Part::over) return;
  if (const auto* request = std::get_if<event::Request>(&event)) {
    if (request->site != Site::outer) return;
    path_ = request->path;
    part_ = Part::answer;
  } else if (const auto* known = std::get_if<event::PeerKnown>(&event)) {
    machine_ = known->peer;
    websocket_ = known->websocket;
    path_ = "/ts2021";
    part_ = Part::answer;
    begin_tcp(ask(FaultEvent::connection));
    handshake_ = ask(FaultEvent::handshake);
  }
}

// ---- what the connection says, in parts

void ConnectionFaults::pass(std::size_t n) {
  const auto end = raw_.begin() + static_cast<std::ptrdiff_t>(n);
  ready_.insert(ready_.end(), raw_.begin(), end);
  raw_.erase(raw_.begin(), end);
}

void ConnectionFaults::finish(Bytes last_words) {
  ready_.insert(ready_.end(), last_words.begin(), last_words.end());
  raw_.clear();
  part_ = Part::over;
  end_ = End::close;
}

bool ConnectionFaults::cut_answer() {
  const std::size_t at = as_text(raw_).find(head_end);
  if (at == std::string_view::npos) {
    if (raw_.size() > max_head) part_ = Part::outer;
    return raw_.size() > max_head;
  }
  const auto rule = ask(FaultEvent::outer_answer, path_);
  if (rule && (rule->fault == Fault::http_status || rule->fault == Fault::http_redirect)) {
    finish(as_bytes(answer_text(*rule)));
    return false;
  }
  if (rule && rule->fault == Fault::http_wrong_key) change_key(raw_);
  const bool upgraded = as_text(raw_).starts_with("HTTP/1.1 101 ");
  part_ = Part::outer;
  if (!upgraded) return true;
  if (rule && rule->fault == Fault::http_strip_upgrade) strip_header(raw_, "Upgrade");
  pass(as_text(raw_).find(head_end) + head_end.size());
  part_ = websocket_ ? Part::opaque : Part::message2;
  return true;
}

bool ConnectionFaults::cut_message2() {
  if (raw_.size() < noise::response_size) return false;
  if (raw_.front() != 2) {
    part_ = Part::opaque;
    return true;
  }
  if (handshake_ && handshake_->fault == Fault::noise_error_record) {
    std::vector<std::uint8_t> record{3, 0, 0};
    store_u16be(MutableBytes(record).subspan(1), static_cast<std::uint16_t>(handshake_->text.size()));
    record.insert(record.end(), handshake_->text.begin(), handshake_->text.end());
    finish(record);
    return false;
  }
  if (handshake_ && handshake_->fault == Fault::noise_wrong_key)
    for (std::uint8_t& byte : MutableBytes(raw_).subspan(noise::record_header_size, noise::response_size - 3))
      byte ^= 0x55;
  pass(noise::response_size);
  part_ = Part::records;
  return true;
}

bool ConnectionFaults::cut_record() {
  if (raw_.size() < noise::record_header_size) return false;
  const std::size_t size = noise::record_header_size + load_u16be(Bytes(raw_).subspan(1));
  if (raw_.size() < size) return false;
  const auto rule = ask(FaultEvent::record);
  if (rule && rule->fault == Fault::noise_truncate) {
    const std::vector<std::uint8_t> half(raw_.begin(), raw_.begin() + static_cast<std::ptrdiff_t>(size / 2));
    finish(half);
    return false;
  }
  if (rule && rule->fault == Fault::noise_reorder && held_.empty()) {
    held_.assign(raw_.begin(), raw_.begin() + static_cast<std::ptrdiff_t>(size));
    raw_.erase(raw_.begin(), raw_.begin() + static_cast<std::ptrdiff_t>(size));
    return true;
  }
  if (rule && rule->fault == Fault::noise_corrupt) raw_[size / 2] ^= 1;
  pass(size);
  ready_.insert(ready_.end(), held_.begin(), held_.end());
  held_.clear();
  return true;
}

void ConnectionFaults::cut() {
  for (bool more = true; more && !raw_.empty();) {
    switch (part_) {
      case Part::answer:
        more = cut_answer();
        break;
      case Part::message2:
        more = cut_message2();
        break;
      case Part::records:
        more = cut_record();
        break;
      case Part::outer:
      case Part::opaque:
        pass(raw_.size());
        break;
      case Part::over:
        raw_.clear();
        break;
    }
  }
}

// ---- to the socket

void ConnectionFaults::confirm(ServerConnection& connection, Now now) {
  if (owed_ > 0) connection.output_sent(std::exchange(owed_, 0), now);
}

void ConnectionFaults::pull(ServerConnection& connection, Now now) {
  std::array<Bytes, 16> pieces;
  while (ready_.empty()) {
    const std::size_t count = connection.output(pieces, now);
    if (count == 0) return;
    for (const Bytes piece : std::span(pieces).first(count)) {
      raw_.insert(raw_.end(), piece.begin(), piece.end());
      owed_ += piece.size();
    }
    cut();
    if (ready_.empty()) confirm(connection, now);
  }
}

Bytes ConnectionFaults::output(ServerConnection& connection, Now now) {
  if (tcp_ && stopped(now)) {
    confirm(connection, now);
    if (part_ == Part::over) pull(connection, now);  // drops it
    return {};
  }
  if (ready_.empty()) pull(connection, now);
  Bytes out = Bytes(ready_).subspan(ready_at_);
  if (!tcp_) return out;
  if (tcp_->fault == Fault::tcp_split) return out.first(std::min<std::uint64_t>(out.size(), tcp_->bytes));
  return out.first(std::min<std::uint64_t>(out.size(), left_));
}

// Whether nothing leaves for now, or no more.
bool ConnectionFaults::stopped(Now now) {
  if (resume_) {
    if (now.mono < *resume_) return true;
    resume_.reset();
    if (tcp_->fault == Fault::tcp_split) return false;
    tcp_.reset();  // the stall is over
    return false;
  }
  if (left_ > 0 || tcp_->fault == Fault::tcp_split) return false;
  if (tcp_->fault == Fault::tcp_stall) {
    if (tcp_->delay) resume_ = now.mono + *tcp_->delay;
    return true;
  }
  if (part_ != Part::over) {
    end_ = tcp_->fault == Fault::tcp_reset ? End::reset : End::half_close;
    part_ = Part::over;
    raw_.clear();
    ready_.clear();
    ready_at_ = 0;
  }
  return true;
}

void ConnectionFaults::sent(ServerConnection& connection, std::size_t n, Now now) {
  ready_at_ += n;
  left_ -= std::min<std::uint64_t>(left_, n);
  if (tcp_ && tcp_->fault == Fault::tcp_split && tcp_->delay) resume_ = now.mono + *tcp_->delay;
  if (ready_at_ < ready_.size()) return;
  ready_.clear();
  ready_at_ = 0;
  confirm(connection, now);
}

ConnectionFaults::End ConnectionFaults::end() const noexcept { return ready_.empty() ? end_ : End::none; }

std::optional<Instant> ConnectionFaults::next_timeout() const noexcept {
  if (!resume_ || (open_window_at_ && *open_window_at_ < *resume_)) return open_window_at_;
  return resume_;
}

}  // namespace ts2021::admin

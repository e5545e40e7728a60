// SPDX-License-Identifier: BSD-3-Clause
// The half of ConnectionFaults that sees plaintext: early payload and HTTP/2.
#include <algorithm>
#include <array>

#include "ts2021/admin/connection_faults.h"
#include "ts2021/base/bytes.h"
#include "ts2021/entry/early_payload.h"

namespace ts2021::admin {
namespace {

// RFC 9113, section 6.
constexpr std::uint8_t headers_frame = 1, reset_frame = 3, settings_frame = 4, ping_frame = 6,
                       goaway_frame = 7;
constexpr std::uint8_t ack_flag = 1;
constexpr std::size_t frame_head_size = 9, ping_size = 8;
constexpr std::uint8_t initial_window[2] = {0, 4};  // a setting
constexpr std::uint32_t honest_window = 256 << 10;  // H2-2
constexpr std::array<std::uint8_t, ping_size> our_ping = {'b', 'y', ' ', 'o', 'r', 'd', 'e', 'r'};

std::array<std::uint8_t, 6> window_setting(std::uint32_t value) {
  std::array<std::uint8_t, 6> out{initial_window[0], initial_window[1]};
  store_u32be(MutableBytes(out).subspan(2), value);
  return out;
}

}  // namespace

Bytes ConnectionFaults::early_payload(Bytes honest) {
  if (!handshake_) return honest;
  constexpr std::string_view nothing = "{}";
  const Bytes json = honest.size() > entry::early_payload_header_size
                         ? honest.subspan(entry::early_payload_header_size)
                         : as_bytes(nothing);
  const auto give = [this](std::uint64_t announced, Bytes payload) {
    given_.assign(entry::early_payload_magic.begin(), entry::early_payload_magic.end());
    given_.resize(entry::early_payload_header_size);
    store_u32be(MutableBytes(given_).subspan(entry::early_payload_magic.size()),
                static_cast<std::uint32_t>(announced));
    given_.insert(given_.end(), payload.begin(), payload.end());
    return Bytes(given_);
  };
  const std::uint64_t bytes = handshake_->bytes;
  const Fault fault = handshake_->fault;
  if (fault == Fault::early_none) return {};
  if (fault == Fault::early_garbage) return give(bytes, std::vector<std::uint8_t>(bytes, '?'));
  if (fault == Fault::early_lying_length) return give(json.size() + bytes, json);
  if (fault == Fault::early_oversized) return give(bytes, json);
  return honest;
}

void ConnectionFaults::add_frame(std::uint8_t type, std::uint32_t stream, Bytes payload) {
  std::array<std::uint8_t, frame_head_size> head{};
  head[1] = static_cast<std::uint8_t>(payload.size() >> 8);
  head[2] = static_cast<std::uint8_t>(payload.size());
  head[3] = type;
  store_u32be(MutableBytes(head).subspan(5), stream);
  given_.insert(given_.end(), head.begin(), head.end());
  given_.insert(given_.end(), payload.begin(), payload.end());
  if (type == settings_frame) ++settings_owed_;
}

Bytes ConnectionFaults::before_frame(Bytes head) {
  given_.clear();
  if (head.size() < frame_head_size || head[3] != headers_frame) return {};
  const auto rule = ask(FaultEvent::answer);
  if (!rule) return {};
  std::array<std::uint8_t, 8> words{};
  if (rule->fault == Fault::http2_goaway) {
    store_u32be(words, static_cast<std::uint32_t>(rule->last_stream));
    store_u32be(MutableBytes(words).subspan(4), static_cast<std::uint32_t>(rule->code));
    add_frame(goaway_frame, 0, words);
  } else if (rule->fault == Fault::http2_reset) {
    store_u32be(words, static_cast<std::uint32_t>(rule->code));
    add_frame(reset_frame, load_u32be(head.subspan(5)) & 0x7fff'ffff, Bytes(words).first(4));
  } else if (rule->fault == Fault::http2_zero_window) {
    add_frame(settings_frame, 0, window_setting(0));
    open_window_after_ = rule->delay;
  } else {
    for (std::uint64_t i = 0; i < rule->times; ++i)
      rule->settings ? add_frame(settings_frame, 0, {}) : add_frame(ping_frame, 0, our_ping);
  }
  return given_;
}

Bytes ConnectionFaults::due_frames(Instant now) {
  given_.clear();
  if (open_window_after_) {
    open_window_at_ = now + *open_window_after_;
    open_window_after_.reset();
  }
  if (open_window_at_ && *open_window_at_ <= now) {
    open_window_at_.reset();
    add_frame(settings_frame, 0, window_setting(honest_window));
  }
  return given_;
}

// Of a frame whose beginning is in frame_: keeps it, or leaves it out where the connection never asked for
// it.
void ConnectionFaults::take_frame() {
  const Bytes frame = frame_;
  const std::size_t size = std::size_t{frame[0]} << 16 | std::size_t{frame[1]} << 8 | frame[2];
  const bool ack = (frame[4] & ack_flag) != 0;
  if (frame[3] == ping_frame && ack && size == ping_size) {
    if (frame.size() < frame_head_size + ping_size) return;
    if (std::equal(our_ping.begin(), our_ping.end(), frame.begin() + frame_head_size)) return frame_.clear();
    return flush_frame(0);
  }
  if (frame[3] == settings_frame && ack && size == 0) {
    if (own_settings_answered_ && settings_owed_ > 0) {
      --settings_owed_;
      return frame_.clear();
    }
    own_settings_answered_ = true;
  }
  flush_frame(size);
}

void ConnectionFaults::flush_frame(std::size_t payload) {
  inward_.insert(inward_.end(), frame_.begin(), frame_.end());
  frame_.clear();
  payload_left_ = payload;
}

MutableBytes ConnectionFaults::received(MutableBytes plaintext) {
  inward_.clear();
  for (std::size_t at = 0; at < plaintext.size();) {
    std::size_t& plain = preface_left_ > 0 ? preface_left_ : payload_left_;
    if (plain > 0) {
      const MutableBytes part = plaintext.subspan(at, std::min(plain, plaintext.size() - at));
      inward_.insert(inward_.end(), part.begin(), part.end());
      plain -= part.size();
      at += part.size();
      continue;
    }
    frame_.push_back(plaintext[at++]);
    if (frame_.size() >= frame_head_size) take_frame();
  }
  return inward_;
}

}  // namespace ts2021::admin

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/conformance/http2_peer.h"

#include <algorithm>
#include <array>

#include "common/clock.h"
#include "ts2021/conformance/check.h"
#include "ts2021/entry/early_payload.h"

namespace ts2021::app::conformance {
namespace {

constexpr std::size_t head_size = 9;

void append_text(std::vector<std::uint8_t>& out, std::string_view text) {
  std::size_t size = text.size();
  if (size < 127) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else {
    out.push_back(127);
    for (size -= 127; size >= 128; size >>= 7) out.push_back(static_cast<std::uint8_t>(size | 0x80));
    out.push_back(static_cast<std::uint8_t>(size));
  }
  out.insert(out.end(), text.begin(), text.end());
}

}  // namespace

std::string h2::error_name(std::uint32_t code) {
  static constexpr std::array names{"NO_ERROR",
                                    "PROTOCOL_ERROR",
                                    "INTERNAL_ERROR",
                                    "FLOW_CONTROL_ERROR",
                                    "SETTINGS_TIMEOUT",
                                    "STREAM_CLOSED",
                                    "FRAME_SIZE_ERROR",
                                    "REFUSED_STREAM",
                                    "CANCEL",
                                    "COMPRESSION_ERROR",
                                    "CONNECT_ERROR",
                                    "ENHANCE_YOUR_CALM",
                                    "INADEQUATE_SECURITY",
                                    "HTTP_1_1_REQUIRED"};
  return code < names.size() ? names[code] : "error " + std::to_string(code);
}

std::uint32_t Frame::error() const {
  if (type == h2::rst_stream && payload.size() >= 4) return load_u32be(payload);
  if (type == h2::goaway && payload.size() >= 8) return load_u32be(Bytes(payload).subspan(4));
  return 0;
}

std::string Frame::told() const {
  static constexpr std::array names{"DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
                                    "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};
  std::string text = type < names.size() ? names[type] : "a frame of type " + std::to_string(type);
  if (type == h2::rst_stream || type == h2::goaway) text += " " + h2::error_name(error());
  if (stream != 0) text += " of stream " + std::to_string(stream);
  return text;
}

std::vector<std::uint8_t> field_block(const std::vector<Field>& fields) {
  std::vector<std::uint8_t> out;
  for (const auto& [name, value] : fields) {
    out.push_back(0);
    append_text(out, name);
    append_text(out, value);
  }
  return out;
}

std::vector<std::uint8_t> frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, Bytes payload,
                                std::optional<std::uint32_t> length) {
  std::vector<std::uint8_t> out(head_size);
  const std::uint32_t said = length.value_or(static_cast<std::uint32_t>(payload.size()));
  store_u32be(out, said << 8);
  out[3] = type;
  out[4] = flags;
  store_u32be(MutableBytes(out).subspan(5), stream);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

std::vector<std::uint8_t> settings_payload(
    const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings) {
  std::vector<std::uint8_t> out(6 * settings.size());
  for (std::size_t i = 0; i < settings.size(); ++i) {
    store_u16be(MutableBytes(out).subspan(6 * i), settings[i].first);
    store_u32be(MutableBytes(out).subspan(6 * i + 2), settings[i].second);
  }
  return out;
}

void Http2Peer::read_greeting() {
  if (!records_.read_at_least(head_size))
    throw Obstacle("H2-1: no early payload and no SETTINGS after the handshake; connection " +
                   records_.connection().state());
  const auto& magic = entry::early_payload_magic;
  if (std::equal(magic.begin(), magic.end(), records_.input().begin())) {
    const auto head = records_.take(head_size);
    const std::uint32_t size = load_u32be(Bytes(head).subspan(magic.size()));
    if (size == 0 || size > entry::max_early_payload_read)
      throw Obstacle("EAR-5: an early payload of " + std::to_string(size) + " bytes");
    if (!records_.read_at_least(size)) throw Obstacle("EAR-1: the early payload is cut");
    const auto json = records_.take(size);
    early_.emplace(json.begin(), json.end());
  }
  const auto first = next_frame(records_.connection().patience().answer);
  if (!first) throw Obstacle("H2-1: no SETTINGS; connection " + records_.connection().state());
  if (first->type != h2::settings || (first->flags & h2::ack) != 0)
    throw Obstacle("H2-14: the server's first frame is " + first->told());
}

std::optional<std::uint32_t> Http2Peer::setting(std::uint16_t id) const {
  const auto found = settings_.find(id);
  if (found == settings_.end()) return std::nullopt;
  return found->second;
}

void Http2Peer::send_preface(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings) {
  std::vector<std::uint8_t> flight(h2::preface.begin(), h2::preface.end());
  const auto first = frame(h2::settings, 0, 0, settings_payload(settings));
  flight.insert(flight.end(), first.begin(), first.end());
  if (ack_due_) {
    const auto ack = frame(h2::settings, h2::ack, 0, {});
    flight.insert(flight.end(), ack.begin(), ack.end());
  }
  preface_sent_ = true;
  records_.send(flight);
}

bool Http2Peer::send_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, Bytes payload) {
  return records_.send(frame(type, flags, stream, payload));
}

std::uint32_t Http2Peer::open_stream(std::string_view method, std::string_view path, bool ends,
                                     const std::vector<Field>& more) {
  std::vector<Field> fields{{":method", std::string(method)},
                            {":scheme", "https"},
                            {":authority", "unused"},
                            {":path", std::string(path)}};
  fields.insert(fields.end(), more.begin(), more.end());
  const std::uint32_t stream = reserve_stream();
  send_frame(h2::headers, static_cast<std::uint8_t>(h2::end_headers | (ends ? h2::end_stream : h2::none)),
             stream, field_block(fields));
  return stream;
}

std::optional<Frame> Http2Peer::next_frame(std::chrono::milliseconds patience) {
  const Instant until = now().mono + patience;
  const auto left = [&] {
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(until - now().mono),
                    std::chrono::milliseconds(0));
  };
  if (!records_.read_at_least(head_size, left())) return std::nullopt;
  const std::uint32_t length = load_u32be(records_.input()) >> 8;
  if (length > (1u << 14))
    throw Obstacle("H2-2: a frame of " + std::to_string(length) + " bytes, above our MAX_FRAME_SIZE");
  if (!records_.read_at_least(head_size + length, left())) return std::nullopt;
  const auto head = records_.take(head_size);
  Frame got{head[3], head[4], load_u32be(Bytes(head).subspan(5)) & 0x7fffffff, records_.take(length)};
  if (got.type == h2::settings && (got.flags & h2::ack) == 0) {
    for (std::size_t i = 0; i + 6 <= got.payload.size(); i += 6)
      settings_[load_u16be(Bytes(got.payload).subspan(i))] = load_u32be(Bytes(got.payload).subspan(i + 2));
    if (preface_sent_)
      send_frame(h2::settings, h2::ack, 0, {});
    else
      ack_due_ = true;
  } else if (got.type == h2::ping && (got.flags & h2::ack) == 0) {
    send_frame(h2::ping, h2::ack, 0, got.payload);
  } else if (got.type == h2::goaway) {
    goaway_ = got.error();
  }
  return got;
}

std::optional<Frame> Http2Peer::wait_for(const std::function<bool(const Frame&)>& wanted,
                                         std::chrono::milliseconds patience) {
  const Instant until = now().mono + patience;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now().mono);
    auto got = next_frame(std::max(left, std::chrono::milliseconds(0)));
    if (!got || wanted(*got)) return got;
  }
}

std::optional<Frame> Http2Peer::wait_for_answer(std::uint32_t stream) {
  return wait_for(
      [stream](const Frame& got) {
        return got.type == h2::goaway ||
               (got.stream == stream && (got.type == h2::headers || got.type == h2::rst_stream));
      },
      records_.connection().patience().answer);
}

bool Http2Peer::lives() {
  std::vector<std::uint8_t> payload(8);
  store_u32be(payload, ++pings_);
  if (!send_frame(h2::ping, 0, 0, payload)) return false;
  return wait_for(
             [&](const Frame& got) {
               return got.type == h2::ping && (got.flags & h2::ack) != 0 && got.payload == payload;
             },
             records_.connection().patience().answer)
      .has_value();
}

std::string Http2Peer::last_words() {
  const auto patience = records_.connection().patience().silence;
  std::string said;
  if (!goaway_) (void)wait_for([](const Frame& got) { return got.type == h2::goaway; }, patience);
  if (goaway_) {
    said = "GOAWAY " + h2::error_name(*goaway_) + ", ";
    records_.connection().read_to_end();
  }
  return said + "connection " + records_.connection().state();
}

}  // namespace ts2021::app::conformance

// SPDX-License-Identifier: BSD-3-Clause
// HTTP/2 by hand inside Noise: frames as they are wanted, right or wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts2021/conformance/noise_peer.h"

namespace ts2021::app::conformance {

namespace h2 {
enum Type : std::uint8_t {
  data = 0,
  headers = 1,
  rst_stream = 3,
  settings = 4,
  push_promise = 5,
  ping = 6,
  goaway = 7,
  window_update = 8,
  continuation = 9
};
enum Flag : std::uint8_t { none = 0, ack = 1, end_stream = 1, end_headers = 4 };
enum Setting : std::uint16_t {
  header_table_size = 1,
  enable_push = 2,
  max_concurrent_streams = 3,
  initial_window_size = 4,
  max_frame_size = 5,
  max_header_list_size = 6
};
inline constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
[[nodiscard]] std::string error_name(std::uint32_t code);
}  // namespace h2

struct Frame {
  std::uint8_t type = 0, flags = 0;
  std::uint32_t stream = 0;
  std::vector<std::uint8_t> payload;

  [[nodiscard]] std::string told() const;
  [[nodiscard]] std::uint32_t error() const;  // of RST_STREAM and GOAWAY; else 0
};

using Field = std::pair<std::string, std::string>;

// Fields in the plainest form of HPACK: new names, no index, no Huffman code.
[[nodiscard]] std::vector<std::uint8_t> field_block(const std::vector<Field>& fields);
[[nodiscard]] std::vector<std::uint8_t> frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                                              Bytes payload, std::optional<std::uint32_t> length = {});
[[nodiscard]] std::vector<std::uint8_t> settings_payload(
    const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings);

class Http2Peer {
 public:
  explicit Http2Peer(RecordStream records) : records_(std::move(records)) {}
  Http2Peer(Http2Peer&&) = default;

  [[nodiscard]] RecordStream& records() noexcept { return records_; }

  // The early payload, if there is one, and the first frame, which has to be SETTINGS. Throws Obstacle.
  void read_greeting();
  [[nodiscard]] const std::optional<std::string>& early_payload() const noexcept { return early_; }
  [[nodiscard]] std::optional<std::uint32_t> setting(std::uint16_t id) const;  // what the server announces

  void send_preface(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings = {
                        {h2::enable_push, 0}, {h2::initial_window_size, 1 << 20}});
  bool send_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, Bytes payload);
  // A new stream; `more` goes behind the pseudo-fields.
  std::uint32_t open_stream(std::string_view method, std::string_view path, bool ends,
                            const std::vector<Field>& more = {});

  // A whole request.
  std::uint32_t post(std::string_view path, std::string_view body, const std::vector<Field>& more = {}) {
    const std::uint32_t stream = open_stream("POST", path, false, more);
    send_frame(h2::data, h2::end_stream, stream, as_bytes(body));
    return stream;
  }
  [[nodiscard]] std::uint32_t reserve_stream() noexcept {
    next_stream_ += 2;
    return next_stream_ - 2;
  }

  // The next frame; SETTINGS and PING are acknowledged on the way. Nothing: see `ended`, or silence.
  std::optional<Frame> next_frame(std::chrono::milliseconds patience);
  // Frames until one is wanted. Nothing: the connection ended, or there was none in time.
  std::optional<Frame> wait_for(const std::function<bool(const Frame&)>& wanted,
                                std::chrono::milliseconds patience);
  // The answer's first frame: HEADERS, or RST_STREAM or GOAWAY in its place.
  std::optional<Frame> wait_for_answer(std::uint32_t stream);
  // A PING comes back: the connection is of use.
  [[nodiscard]] bool lives();
  // What the server does to the connection now: "GOAWAY ENHANCE_YOUR_CALM, closed" and the like.
  [[nodiscard]] std::string last_words();
  [[nodiscard]] std::optional<std::uint32_t> goaway() const noexcept { return goaway_; }

 private:
  RecordStream records_;
  std::optional<std::string> early_;
  std::map<std::uint16_t, std::uint32_t> settings_;
  std::optional<std::uint32_t> goaway_;
  std::uint32_t next_stream_ = 1, pings_ = 0;
  bool preface_sent_ = false, ack_due_ = false;
};

}  // namespace ts2021::app::conformance

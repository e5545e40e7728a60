// SPDX-License-Identifier: BSD-3-Clause
// One line of a capture: what passed a connection, decrypted, as a JSON object.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/conn/tracer.h"

namespace ts2021 {

// | layer   | event                                                  | members beside t, session, dir |
// |---------|--------------------------------------------------------|-----------------------------------------|
// | capture | begin, dropped                                         | why | | tcp     | open, close | peer;
// why, records                      | | http    | request, answer, end, gone, unrouted, refused          |
// outer site: method … message            | | noise   | handshake | machine, server, version, websocket     |
// | early   | payload                                                | message | | api     | request, answer,
// end, unrouted                         | inside Noise, or in a box (boxed)       | | map     | message | one
// map message: size on the wire       | | h2      | gone                                                   |
// why                                     |
enum class CaptureLayer : std::uint8_t { capture, tcp, http, noise, early, api, map, h2 };
[[nodiscard]] std::string_view text(CaptureLayer layer) noexcept;

struct CaptureLine {
  std::chrono::microseconds at{};  // since the capture began
  std::uint64_t session = 0;       // the connection; counts from 1
  CaptureLayer layer{};
  trace::Way way{};
  std::string event;
  std::int32_t stream = 0;  // an exchange within its connection and site
  int status = 0;
  std::string method, path;  // the path with its query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string peer, machine, server, why;
  unsigned version = 0;
  bool websocket = false;
  bool boxed = false;                             // TS2019
  std::uint64_t size = 0;                         // bytes of a map message with its prefix, as it was sent
  std::uint64_t records_in = 0, records_out = 0;  // of Noise
  std::vector<std::uint8_t> body;

  [[nodiscard]] bool is(CaptureLayer l, std::string_view e) const noexcept {
    return layer == l && event == e;
  }
  friend bool operator==(const CaptureLine&, const CaptureLine&) = default;
};

// With its line end. A body that is a JSON object or array stands in "message" as such, without needless
// space; one that is UTF-8 text as a string; any other in "base64".
[[nodiscard]] std::string text(const CaptureLine& line);
// Errors: bad_json, missing_field: no layer or event that is known. Members that are not known are skipped.
[[nodiscard]] Result<CaptureLine> parse_capture_line(Bytes text);

}  // namespace ts2021

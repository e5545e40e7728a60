// SPDX-License-Identifier: BSD-3-Clause
// A whole capture, read back: who asked what, and what was answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "ts2021/base/result.h"
#include "ts2021/capture/line.h"

namespace ts2021 {

struct CapturedExchange {
  static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

  std::uint64_t session = 0;
  bool inside = false;    // Noise
  bool boxed = false;     // TS2019: request, answer and messages are what was in the boxes
  bool unrouted = false;  // answered 404 or 405 for want of a row: there is no answer to see
  CaptureLine request;
  std::optional<CaptureLine> answer;
  std::vector<CaptureLine> messages;  // of a map
  bool ended = false;                 // the answer is complete
  // Numbers of the lines on which it was asked, and answered: of a map, with the first message.
  std::size_t asked = 0, answered = never;
};

struct CapturedSession {
  std::uint64_t id = 0;
  std::optional<CaptureLine> handshake;  // none: it stayed outside
};

struct Conversation {
  std::vector<CapturedSession> sessions;    // as they were opened
  std::vector<CapturedExchange> exchanges;  // as they were asked

  // Reads the lines of a file. Errors: those of parse_capture_line(), with the number of the line as
  // `detail`. A last line without its end is left out: it was being written.
  [[nodiscard]] static Result<Conversation> read(std::string_view text);

  [[nodiscard]] const CapturedSession* find(std::uint64_t session) const noexcept;
};

// The path of a request without its query.
[[nodiscard]] std::string_view path_of(const CaptureLine& request) noexcept;

}  // namespace ts2021

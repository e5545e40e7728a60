// SPDX-License-Identifier: BSD-3-Clause
// Answer bytes that wait for room: heads as text, bodies as shared bytes that are copied only into the queue.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/base/byte_queue.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/http/message.h"

namespace ts2021::entry {

class Http1Output {
 public:
  void append(std::string text);
  void append(SharedBytes bytes);
  void fill(ByteQueue& out);
  [[nodiscard]] bool empty() const noexcept { return pending_ == 0; }
  [[nodiscard]] std::size_t pending() const noexcept { return pending_; }

 private:
  struct Piece {
    std::string text;  // used when shared is null
    SharedBytes shared;
  };
  std::vector<Piece> pieces_;
  std::size_t first_ = 0, offset_ = 0, pending_ = 0;
};

// How the body of an answer is framed.
enum class AnswerBody : std::uint8_t { none, sized, chunked, until_close };

// Status line and headers with the blank line. `size` counts with sized only.
[[nodiscard]] std::string answer_head(const ResponseHead& head, AnswerBody body, std::size_t size,
                                      bool close);
// False when a name or value would break the head apart.
[[nodiscard]] bool safe_headers(std::span<const Header> headers) noexcept;
[[nodiscard]] bool safe_value(std::string_view value) noexcept;  // no control character but TAB

}  // namespace ts2021::entry

// SPDX-License-Identifier: BSD-3-Clause
// Finds the end of an HTTP/1.1 head and refuses early what no head may hold, before anything parses it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ts2021/base/bytes.h"

namespace ts2021::entry {

class HeadScanner {
 public:
  enum class Status : std::uint8_t { more, complete, bad, too_long };

  // max_size: bytes with the blank line.
  explicit HeadScanner(std::size_t max_size) noexcept : max_size_(max_size) {}

  // `bytes` begins with the head and holds all that has come so far. Every byte is looked at once. Bad is a
  // control character other than TAB and CR LF, a CR or LF alone, or a folded line.
  [[nodiscard]] Status scan(Bytes bytes) noexcept;
  // After complete: bytes of the head, blank line included.
  [[nodiscard]] std::size_t size() const noexcept { return at_; }
  void reset() noexcept;

 private:
  std::size_t max_size_, at_ = 0;
  std::size_t line_ = 0;  // characters of the current line
  bool cr_ = false;       // the last byte was CR
  bool first_ = true;     // in the first line
};

}  // namespace ts2021::entry

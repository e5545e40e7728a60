// SPDX-License-Identifier: BSD-3-Clause
#include "entry/http1_head.h"

namespace ts2021::entry {

HeadScanner::Status HeadScanner::scan(Bytes bytes) noexcept {
  for (; at_ < bytes.size(); ++at_) {
    if (at_ >= max_size_) return Status::too_long;  // ENT-9
    const std::uint8_t c = bytes[at_];
    if (cr_) {
      if (c != '\n') return Status::bad;
      cr_ = false;
      if (line_ == 0) {
        ++at_;
        return Status::complete;
      }
      line_ = 0;
      first_ = false;
    } else if (c == '\r') {
      cr_ = true;
    } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
      return Status::bad;
    } else {
      if (line_ == 0 && !first_ && (c == ' ' || c == '\t')) return Status::bad;  // ENT-10
      ++line_;
    }
  }
  return Status::more;
}

void HeadScanner::reset() noexcept { *this = HeadScanner(max_size_); }

}  // namespace ts2021::entry

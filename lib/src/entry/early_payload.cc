// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/entry/early_payload.h"

#include <algorithm>

namespace ts2021::entry {

std::array<std::uint8_t, early_payload_header_size> early_payload_header(std::size_t json_size) noexcept {
  std::array<std::uint8_t, early_payload_header_size> header{};  // EAR-1
  std::copy(early_payload_magic.begin(), early_payload_magic.end(), header.begin());
  store_u32be(MutableBytes(header).subspan(early_payload_magic.size()),
              static_cast<std::uint32_t>(json_size));
  return header;
}

Result<std::size_t> EarlyPayloadReader::feed(Bytes in) {
  if (error_) return *error_;
  std::size_t used = 0;
  while (!done_ && used < in.size()) {
    const std::size_t have = buffer_.size();
    if (length_known_) {  // EAR-1
      const std::size_t n = std::min(need_ - have, in.size() - used);
      const Bytes part = in.subspan(used, n);
      buffer_.insert(buffer_.end(), part.begin(), part.end());
      used += n;
      done_ = present_ = buffer_.size() == need_;
      continue;
    }
    if (have < early_payload_magic.size() && in[used] != early_payload_magic[have]) {  // EAR-4
      done_ = true;
      break;
    }
    buffer_.push_back(in[used++]);
    if (buffer_.size() < early_payload_header_size) continue;
    need_ = load_u32be(Bytes(buffer_).subspan(early_payload_magic.size()));
    buffer_.clear();
    length_known_ = true;
    if (need_ == 0)
      error_ = fail(Errc::bad_early_payload, 390);  // EAR-5
    else if (need_ > max_size_)
      error_ = fail(Errc::bad_early_payload, 391, static_cast<std::uint32_t>(need_));
    if (error_) return *error_;
  }
  return used;
}

}  // namespace ts2021::entry

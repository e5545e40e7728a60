// SPDX-License-Identifier: BSD-3-Clause
// Where a session puts its frames.
#pragma once

#include <span>

#include "ts2021/base/bytes.h"

namespace ts2021::h2 {

// A DATA frame carries at most this much, so that it and its 9-byte header fill one record exactly (H2-6).
inline constexpr std::size_t max_data_payload = 4068;
inline constexpr std::size_t frame_head_size = 9;

// One whole frame (or a chunk of frames), in pieces; all or nothing. False: no room now, offer it again
// later.
struct FrameSink {
  void* self;
  bool (*append)(void* self, std::span<const Bytes> pieces) noexcept;
};

}  // namespace ts2021::h2

// SPDX-License-Identifier: BSD-3-Clause
// zstd frames in memory, over libzstd. The only module that includes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"

namespace ts2021::compress {

// Largest window that is written or read: 8 MiB.
inline constexpr int max_window_log = 23;

class Encoder {
 public:
  explicit Encoder(int level) noexcept;  // clamped to 1…19, whose windows are within the limit
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;
  ~Encoder();
  // Replaces `out` by one frame with content size and without checksum; the same bytes for the same input.
  // Error out_of_memory.
  [[nodiscard]] Result<void> compress(Bytes in, std::vector<std::uint8_t>& out) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Decoder {
 public:
  Decoder() noexcept;
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  ~Decoder();
  // Replaces `out` by the content of one or more complete frames. It never grows beyond twice the content and
  // never beyond `limit` and a byte, whatever the frames claim; the window takes at most 8 MiB more.
  // Errors: bad_compression (not zstd, cut, too large a window), limit_exceeded (content above `limit`).
  [[nodiscard]] Result<void> decompress(Bytes in, std::size_t limit, std::vector<std::uint8_t>& out) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021::compress

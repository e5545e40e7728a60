// SPDX-License-Identifier: BSD-3-Clause
// Framing of map messages: size, then JSON or zstd frames of it (MAP-1 to MAP-6 of lib/WIRE.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/base/shared_bytes.h"

namespace ts2021 {

enum class Compression : std::uint8_t { none, zstd };
// Of MapRequest.Compress: "zstd" or anything else.
[[nodiscard]] Compression parse_compression(std::string_view text) noexcept;

inline constexpr std::size_t map_prefix_size = 4;                      // little endian
inline constexpr std::size_t max_map_message = std::size_t{64} << 20;  // packed, and unpacked

// A zstd context, 1 to 2 MiB once used. One per thread; the memory is kept from call to call.
class ZstdCompressor {
 public:
  // Level 1 to 19, clamped. One level per keep-alive: its bytes must repeat.
  explicit ZstdCompressor(int level = 1);
  ZstdCompressor(ZstdCompressor&&) noexcept;
  ZstdCompressor& operator=(ZstdCompressor&&) noexcept;
  ~ZstdCompressor();
  // One complete frame with its content size, no dictionary, window at most 8 MiB. Error out_of_memory.
  [[nodiscard]] Result<SharedBytes> compress(Bytes in);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Prefix and pieces as one message; the pieces are shared, not copied. With zstd every piece is a complete
// frame, else they are JSON text together and get spaces behind so that no byte of the prefix is 0x7B.
// Errors: misuse when there are no bytes, limit_exceeded above max_map_message.
[[nodiscard]] Result<SharedPieces> map_message(std::span<const SharedBytes> pieces, Compression compression);
// The same from JSON text in one piece, compressed here. `compressor` is needed with zstd only.
[[nodiscard]] Result<SharedPieces> map_message(Bytes json, Compression compression,
                                               ZstdCompressor* compressor);
// A keep-alive; made once and sent again and again.
[[nodiscard]] Result<SharedPieces> keep_alive_message(Compression compression, ZstdCompressor* compressor);
// Bytes of all pieces.
[[nodiscard]] std::size_t total_size(const SharedPieces& pieces) noexcept;

// Client side: bytes in any cut to messages.
class MapFrameReader {
 public:
  struct Limits {
    std::size_t packed = max_map_message;
    std::size_t unpacked = max_map_message;
  };
  explicit MapFrameReader(Compression compression);
  MapFrameReader(Compression compression, Limits limits);
  MapFrameReader(MapFrameReader&&) noexcept;
  MapFrameReader& operator=(MapFrameReader&&) noexcept;
  ~MapFrameReader();

  // Takes bytes up to the end of one message and returns how many; what is left belongs to the next call.
  // Errors, for ever: bad_framing (size 0), limit_exceeded (size or content above the limits),
  // bad_compression.
  [[nodiscard]] Result<std::size_t> feed(Bytes in);
  // True when the last call completed a message.
  [[nodiscard]] bool ready() const noexcept;
  // The JSON, with decode_padding bytes behind it; until the next feed(). Precondition: ready().
  [[nodiscard]] Bytes message() const noexcept;
  // At the end of the stream: error truncated inside a message.
  [[nodiscard]] Result<void> finish() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021

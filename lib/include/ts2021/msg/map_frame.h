// SPDX-License-Identifier: BSD-3-Clause
// Framing of map messages: size, then JSON or zstd frames of it (MAP-1 to MAP-6 of lib/WIRE.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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

// What a reader lets in.
struct MapFrameLimits {
  std::size_t packed = max_map_message;
  std::size_t unpacked = max_map_message;
};

// Client side, first half: bytes in any cut to messages as they were packed. It holds no zstd context, so
// that many streams can share one MapUnpacker.
class PackedFrameReader {
 public:
  explicit PackedFrameReader(std::size_t limit = max_map_message) noexcept : limit_(limit) {}

  // Takes bytes up to the end of one message and returns how many; what is left belongs to the next call.
  // Errors, for ever: bad_framing (size 0), limit_exceeded (size above the limit).
  [[nodiscard]] Result<std::size_t> feed(Bytes in);
  // True when the last call completed a message.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  // The message without its size, until the next feed(). Precondition: ready().
  [[nodiscard]] Bytes frame() const noexcept { return packed_; }
  // At the end of the stream: error truncated inside a message.
  [[nodiscard]] Result<void> finish() const noexcept;

 private:
  friend class MapFrameReader;

  std::size_t limit_;
  std::array<std::uint8_t, map_prefix_size> prefix_{};
  std::size_t prefix_filled_ = 0;
  std::size_t wanted_ = 0;  // bytes of the message, once the prefix is whole
  std::vector<std::uint8_t> packed_;
  bool ready_ = false;
  std::optional<Error> error_;
};

// The second half: a packed message to JSON.
class MapUnpacker {
 public:
  explicit MapUnpacker(Compression compression, std::size_t limit = max_map_message);
  MapUnpacker(MapUnpacker&&) noexcept;
  MapUnpacker& operator=(MapUnpacker&&) noexcept;
  ~MapUnpacker();

  // The JSON, with decode_padding bytes behind it; until the next call. A large message's memory is given
  // back by the next one. Errors: bad_compression, limit_exceeded (content above the limit).
  [[nodiscard]] Result<Bytes> unpack(Bytes packed);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Both halves: bytes in any cut to JSON.
class MapFrameReader {
 public:
  using Limits = MapFrameLimits;
  explicit MapFrameReader(Compression compression, Limits limits = {});

  // As PackedFrameReader::feed(), with the errors of MapUnpacker::unpack() too, for ever.
  [[nodiscard]] Result<std::size_t> feed(Bytes in);
  // True when the last call completed a message.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  // The JSON, with decode_padding bytes behind it; until the next feed(). Precondition: ready().
  [[nodiscard]] Bytes message() const noexcept { return message_; }
  // At the end of the stream: error truncated inside a message.
  [[nodiscard]] Result<void> finish() const noexcept;

 private:
  PackedFrameReader frames_;
  MapUnpacker unpacker_;
  Bytes message_;
  bool ready_ = false;
};

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/map_frame.h"

#include <algorithm>
#include <string>
#include <utility>

#include "compress/zstd_frame.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_response.h"

namespace ts2021 {
namespace {

constexpr std::size_t brace = 0x7b;

// MAP-5: the smallest size from `size` on without a byte 0x7B, which a client on microcontrollers takes for
// the beginning of the JSON.
constexpr std::size_t without_brace(std::size_t size) noexcept {
  for (int shift = 24; shift >= 0; shift -= 8)
    if (((size >> shift) & 0xff) == brace) size = ((size >> shift) + 1) << shift;
  return size;
}
static_assert(without_brace(0x7b) == 0x7c && without_brace(0x7b7b) == 0x7c00 && without_brace(0x7a) == 0x7a);

}  // namespace

Compression parse_compression(std::string_view text) noexcept {
  return text == "zstd" ? Compression::zstd : Compression::none;
}

struct ZstdCompressor::Impl {
  compress::Encoder encoder;
  std::vector<std::uint8_t> buffer;
};

ZstdCompressor::ZstdCompressor(int level) : impl_(new Impl{compress::Encoder(level), {}}) {}
ZstdCompressor::ZstdCompressor(ZstdCompressor&&) noexcept = default;
ZstdCompressor& ZstdCompressor::operator=(ZstdCompressor&&) noexcept = default;
ZstdCompressor::~ZstdCompressor() = default;

Result<SharedBytes> ZstdCompressor::compress(Bytes in) {
  if (auto done = impl_->encoder.compress(in, impl_->buffer); !done) return done.error();
  return share(Bytes(impl_->buffer));
}

Result<SharedPieces> map_message(std::span<const SharedBytes> pieces, Compression compression) {
  std::size_t size = 0;
  for (const auto& piece : pieces) {
    size += piece->size();
    if (size > max_map_message) return fail(Errc::limit_exceeded, 820);  // MAP-4
  }
  if (size == 0) return fail(Errc::misuse, 821);  // MAP-3
  const std::size_t padded = compression == Compression::none ? without_brace(size) : size;

  std::vector<SharedBytes> message;
  message.reserve(pieces.size() + 2);
  std::vector<std::uint8_t> prefix(map_prefix_size);
  store_u32le(prefix, static_cast<std::uint32_t>(padded));  // MAP-1
  message.push_back(share(std::move(prefix)));
  message.insert(message.end(), pieces.begin(), pieces.end());
  if (padded != size) message.push_back(share(std::vector<std::uint8_t>(padded - size, ' ')));
  return std::make_shared<const std::vector<SharedBytes>>(std::move(message));
}

Result<SharedPieces> map_message(Bytes json, Compression compression, ZstdCompressor* compressor) {
  SharedBytes piece;
  if (compression == Compression::zstd) {
    if (compressor == nullptr) return fail(Errc::misuse, 822);
    auto packed = compressor->compress(json);
    if (!packed) return packed.error();
    piece = std::move(*packed);
  } else {
    piece = share(json);
  }
  return map_message(std::span(&piece, 1), compression);
}

Result<SharedPieces> keep_alive_message(Compression compression, ZstdCompressor* compressor) {
  MapResponse message;
  message.keep_alive = true;
  std::string json = encoded(message);
  json += ' ';  // MAP-6: without it, clients drop every later message whose packed size is the same
  return map_message(as_bytes(json), compression, compressor);
}

std::size_t total_size(const SharedPieces& pieces) noexcept {
  std::size_t size = 0;
  for (const auto& piece : *pieces) size += piece->size();
  return size;
}

namespace {

// A stream is a full map and then small changes: the memory of the first is not kept.
void recycle(std::vector<std::uint8_t>& buffer) noexcept {
  constexpr std::size_t kept = 64 << 10;
  buffer.clear();
  if (buffer.capacity() > kept) buffer = {};
}

}  // namespace

Result<std::size_t> PackedFrameReader::feed(Bytes in) {
  const auto end = [this](Error with) {
    error_ = with;
    packed_ = {};
    return with;
  };
  if (error_) return *error_;
  if (std::exchange(ready_, false)) {
    prefix_filled_ = 0;
    recycle(packed_);
  }
  const std::size_t given = in.size();
  while (prefix_filled_ < map_prefix_size && !in.empty()) {
    prefix_[prefix_filled_++] = in.front();
    in = in.subspan(1);
    if (prefix_filled_ < map_prefix_size) continue;
    wanted_ = load_u32le(prefix_);                                                           // MAP-1
    if (wanted_ == 0) return end(fail(Errc::bad_framing, 823));                              // MAP-3
    if (wanted_ > limit_) return end(fail(Errc::limit_exceeded, 824, load_u32le(prefix_)));  // MAP-4
  }
  if (prefix_filled_ < map_prefix_size) return given;
  // Grows with what came, not with what the prefix claims.
  const std::size_t taken = std::min(in.size(), wanted_ - packed_.size());
  packed_.insert(packed_.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(taken));
  ready_ = packed_.size() == wanted_;
  return given - in.size() + taken;
}

Result<void> PackedFrameReader::finish() const noexcept {
  if (error_) return *error_;
  if (!ready_ && prefix_filled_ != 0) return fail(Errc::truncated, 826);
  return {};
}

struct MapUnpacker::Impl {
  Compression compression;
  std::size_t limit;
  compress::Decoder decoder;
  std::vector<std::uint8_t> json;
};

MapUnpacker::MapUnpacker(Compression compression, std::size_t limit)
    : impl_(new Impl{compression, limit, {}, {}}) {}
MapUnpacker::MapUnpacker(MapUnpacker&&) noexcept = default;
MapUnpacker& MapUnpacker::operator=(MapUnpacker&&) noexcept = default;
MapUnpacker::~MapUnpacker() = default;

Result<Bytes> MapUnpacker::unpack(Bytes packed) {
  std::vector<std::uint8_t>& json = impl_->json;
  recycle(json);
  if (impl_->compression == Compression::zstd) {  // MAP-2
    if (auto done = impl_->decoder.decompress(packed, impl_->limit, json); !done) {
      json = {};
      return done.error();
    }
  } else if (packed.size() > impl_->limit) {
    return fail(Errc::limit_exceeded, 825);
  } else {
    json.assign(packed.begin(), packed.end());
  }
  const std::size_t size = json.size();
  json.resize(size + decode_padding);
  return Bytes(json).first(size);
}

MapFrameReader::MapFrameReader(Compression compression, Limits limits)
    : frames_(limits.packed), unpacker_(compression, limits.unpacked) {}

Result<std::size_t> MapFrameReader::feed(Bytes in) {
  ready_ = false;
  const auto taken = frames_.feed(in);
  if (!taken || !frames_.ready()) return taken;
  const auto json = unpacker_.unpack(frames_.frame());
  if (!json) {
    frames_.error_ = json.error();
    return json.error();
  }
  message_ = *json;
  ready_ = true;
  return taken;
}

Result<void> MapFrameReader::finish() const noexcept { return frames_.finish(); }

}  // namespace ts2021

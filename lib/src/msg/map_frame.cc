// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/map_frame.h"

#include <algorithm>
#include <optional>
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

struct MapFrameReader::Impl {
  Compression compression;
  Limits limits;
  compress::Decoder decoder;
  std::array<std::uint8_t, map_prefix_size> prefix{};
  std::size_t prefix_filled = 0;
  std::size_t wanted = 0;  // bytes of the message, once the prefix is whole
  std::vector<std::uint8_t> packed, unpacked;
  std::size_t message_size = 0;
  bool ready = false;
  std::optional<Error> error;

  [[nodiscard]] std::vector<std::uint8_t>& content() noexcept {
    return compression == Compression::zstd ? unpacked : packed;
  }

  // A stream is a full map and then small changes: the memory of the first is not kept.
  static void recycle(std::vector<std::uint8_t>& buffer) noexcept {
    constexpr std::size_t kept = 64 << 10;
    buffer.clear();
    if (buffer.capacity() > kept) buffer = {};
  }

  [[nodiscard]] Error end(Error with) {
    error = with;
    ready = false;
    packed = {};
    unpacked = {};
    return with;
  }

  [[nodiscard]] Result<std::size_t> feed(Bytes in) {
    if (error) return *error;
    if (ready) {
      ready = false;
      prefix_filled = 0;
      message_size = 0;
      recycle(packed);
      recycle(unpacked);
    }
    const std::size_t given = in.size();
    while (prefix_filled < map_prefix_size && !in.empty()) {
      prefix[prefix_filled++] = in.front();
      in = in.subspan(1);
      if (prefix_filled < map_prefix_size) continue;
      wanted = load_u32le(prefix);                                                                  // MAP-1
      if (wanted == 0) return end(fail(Errc::bad_framing, 823));                                    // MAP-3
      if (wanted > limits.packed) return end(fail(Errc::limit_exceeded, 824, load_u32le(prefix)));  // MAP-4
    }
    if (prefix_filled < map_prefix_size) return given;
    // Grows with what came, not with what the prefix claims.
    const std::size_t taken = std::min(in.size(), wanted - packed.size());
    packed.insert(packed.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(taken));
    in = in.subspan(taken);
    if (packed.size() < wanted) return given;
    if (compression == Compression::zstd) {  // MAP-2
      if (auto done = decoder.decompress(packed, limits.unpacked, unpacked); !done) return end(done.error());
    } else if (packed.size() > limits.unpacked) {
      return end(fail(Errc::limit_exceeded, 825));
    }
    message_size = content().size();
    content().resize(message_size + decode_padding);
    ready = true;
    return given - in.size();
  }
};

MapFrameReader::MapFrameReader(Compression compression) : MapFrameReader(compression, Limits{}) {}
MapFrameReader::MapFrameReader(Compression compression, Limits limits) : impl_(new Impl) {
  impl_->compression = compression;
  impl_->limits = limits;
}
MapFrameReader::MapFrameReader(MapFrameReader&&) noexcept = default;
MapFrameReader& MapFrameReader::operator=(MapFrameReader&&) noexcept = default;
MapFrameReader::~MapFrameReader() = default;

Result<std::size_t> MapFrameReader::feed(Bytes in) { return impl_->feed(in); }
bool MapFrameReader::ready() const noexcept { return impl_->ready; }
Bytes MapFrameReader::message() const noexcept { return Bytes(impl_->content()).first(impl_->message_size); }
Result<void> MapFrameReader::finish() const noexcept {
  if (impl_->error) return *impl_->error;
  if (!impl_->ready && impl_->prefix_filled != 0) return fail(Errc::truncated, 826);
  return {};
}

}  // namespace ts2021

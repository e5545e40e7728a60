// SPDX-License-Identifier: BSD-3-Clause
#include "admin/frames.h"

#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::admin {
namespace {

constexpr std::size_t max_keep_alive = 64;  // bytes with the prefix; a complete map has more

}  // namespace

SharedPieces Frames::pack(std::string_view json, Compression compression) {
  auto packed = map_message(as_bytes(json), compression, &compressor_);
  return packed ? std::move(*packed) : nullptr;
}

std::string Frames::unpack(const SharedPieces& pieces, Compression compression) {
  MapFrameReader reader(compression);
  for (const SharedBytes& piece : *pieces) {
    const auto used = reader.feed(*piece);
    if (!used || *used != piece->size()) return {};
  }
  return reader.ready() ? std::string(as_text(reader.message())) : std::string();
}

bool Frames::is_keep_alive(const SharedPieces& pieces, Compression compression) {
  if (total_size(pieces) > max_keep_alive) return false;
  const auto message = decode_copy<MapResponse>(as_bytes(unpack(pieces, compression)));
  return message && message->keep_alive;
}

}  // namespace ts2021::admin

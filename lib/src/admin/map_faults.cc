// SPDX-License-Identifier: BSD-3-Clause
#include "admin/map_faults.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "admin/frames.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::admin {
namespace {

SharedPieces one_piece(std::vector<std::uint8_t> bytes) {
  return std::make_shared<const std::vector<SharedBytes>>(1, share(std::move(bytes)));
}

std::vector<std::uint8_t> bytes_of(const SharedPieces& pieces) {
  std::vector<std::uint8_t> out;
  for (const SharedBytes& piece : *pieces) out.insert(out.end(), piece->begin(), piece->end());
  return out;
}

SharedPieces packed(std::string_view json, Compression compression, ZstdCompressor& compressor) {
  auto message = map_message(as_bytes(json), compression, &compressor);
  return message ? std::move(*message) : nullptr;
}

// The first peer of a message.
std::optional<Node> peer_of(const SharedPieces& message, Compression compression) {
  auto map = decode_copy<MapResponse>(as_bytes(Frames::unpack(message, compression)));
  if (!map) return std::nullopt;
  for (auto* list : {&map->peers, &map->peers_changed})
    if (!list->empty()) return std::move(list->front());
  return std::nullopt;
}

}  // namespace

SharedPieces spoiled(const SharedPieces& message, Compression compression, const FaultRule& rule,
                     ZstdCompressor& compressor) {
  if (rule.fault == Fault::map_truncated_json) {
    const std::string json = Frames::unpack(message, compression);
    return packed(std::string_view(json).substr(0, json.size() / 2), compression, compressor);
  }
  std::vector<std::uint8_t> bytes = bytes_of(message);
  const auto size = static_cast<std::uint32_t>(bytes.size() - map_prefix_size);
  const auto by = static_cast<std::uint32_t>(rule.bytes);
  if (rule.fault == Fault::map_length_long) store_u32le(bytes, size + by);
  if (rule.fault == Fault::map_length_short) store_u32le(bytes, size > by ? size - by : 1);
  if (rule.fault == Fault::map_length_zero) store_u32le(bytes, 0);
  if (rule.fault == Fault::map_bad_zstd)
    for (std::size_t i = map_prefix_size; i < std::min(bytes.size(), map_prefix_size + 4); ++i)
      bytes[i] ^= 0xff;
  return one_piece(std::move(bytes));
}

SharedPieces joined(const SharedPieces& first, const SharedPieces& second) {
  std::vector<SharedBytes> both(*first);
  both.insert(both.end(), second->begin(), second->end());
  return std::make_shared<const std::vector<SharedBytes>>(std::move(both));
}

bool names_peer(const SharedPieces& message, Compression compression) {
  return peer_of(message, compression).has_value();
}

SharedPieces contradiction(const SharedPieces& message, Compression compression, ZstdCompressor& compressor) {
  auto peer = peer_of(message, compression);
  if (!peer) return nullptr;
  MapResponse map;
  map.peers_removed.push_back(peer->id);
  map.peers_changed.push_back(*std::move(peer));
  return packed(encoded(map), compression, compressor);
}

}  // namespace ts2021::admin

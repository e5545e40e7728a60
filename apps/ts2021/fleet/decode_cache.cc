// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/decode_cache.h"

#include <utility>

namespace ts2021::app::fleet {

Result<std::shared_ptr<const Digest>> DecodeCache::read(Bytes packed) {
  ++messages_;
  if (const auto found = known_.find(as_text(packed)); found != known_.end()) return found->second;
  const auto json = unpacker_.unpack(packed);
  if (!json) return json.error();
  const auto outline = decode<MapOutline>(*json);
  if (!outline) return outline.error();
  ++decoded_;
  auto digest = std::make_shared<Digest>(directory_.digest(*outline));
  digest->packed_size = packed.size();
  digest->size = json->size();
  if (packed.size() <= max_message) keep(packed, digest);
  return std::shared_ptr<const Digest>(std::move(digest));
}

Result<MapResponse> DecodeCache::read_whole(Bytes packed) {
  const auto json = unpacker_.unpack(packed);
  if (!json) return json.error();
  ++decoded_whole_;
  return decode<MapResponse>(*json);
}

void DecodeCache::keep(Bytes packed, std::shared_ptr<const Digest> digest) {
  kept_ += packed.size();
  while (kept_ > max_kept) {
    kept_ -= order_.front().size();
    known_.erase(order_.front());
    order_.pop_front();
  }
  order_.emplace_back(as_text(packed));
  known_.emplace(order_.back(), std::move(digest));
}

}  // namespace ts2021::app::fleet

// SPDX-License-Identifier: BSD-3-Clause
#include "vectors.h"

#include "crypto/aead.h"
#include "noise/nonce.h"

namespace ts2021::noise {

Buffer seal_raw(std::span<const std::uint8_t, 32> key, std::uint64_t counter, Bytes text) {
  const std::size_t body = text.size() + tag_size;
  Buffer record;
  record.reserve(max_record_size);
  for (const std::size_t byte : {std::size_t{4}, body >> 8, body})
    record.push_back(static_cast<std::uint8_t>(byte));
  for (const std::uint8_t byte : text) record.push_back(byte);
  record.resize(record_header_size + body);
  crypto::Aead aead;
  aead.set_key(key);
  aead.seal(nonce_of(counter), std::span(record).subspan(record_header_size, text.size()),
            std::span(record).last<tag_size>());
  return record;
}

}  // namespace ts2021::noise

// SPDX-License-Identifier: BSD-3-Clause
#include "vectors.h"

#include "crypto/aead.h"
#include "noise/nonce.h"

namespace ts2021::noise {

Buffer seal_raw(std::span<const std::uint8_t, 32> key, std::uint64_t counter, Bytes text) {
  Buffer record(record_header_size + text.size() + tag_size);
  record[0] = 4;
  store_u16be(std::span(record).subspan(1), static_cast<std::uint16_t>(text.size() + tag_size));
  std::copy(text.begin(), text.end(), record.begin() + record_header_size);
  crypto::Aead aead;
  aead.set_key(key);
  aead.seal(nonce_of(counter), std::span(record).subspan(record_header_size, text.size()),
            std::span(record).last<tag_size>());
  return record;
}

}  // namespace ts2021::noise

// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/hkdf.h"

#include <algorithm>

#include "crypto/blake2s.h"
#include "ts2021/base/secret.h"

namespace ts2021::crypto {
namespace {

constexpr std::uint8_t one = 1, two = 2;

// The key as one block of the hash, each byte xor `pad`.
Secret<blake2s_block_size> padded(std::span<const std::uint8_t, 32> key, std::uint8_t pad) noexcept {
  Secret<blake2s_block_size> block;
  const auto bytes = block.bytes();
  std::fill(bytes.begin(), bytes.end(), pad);
  for (std::size_t i = 0; i < key.size(); ++i) bytes[i] = static_cast<std::uint8_t>(key[i] ^ pad);
  return block;
}

}  // namespace

void hmac_blake2s(std::span<std::uint8_t, 32> out, std::span<const std::uint8_t, 32> key, Bytes text,
                  Bytes more) noexcept {
  const Secret<blake2s_block_size> inner = padded(key, 0x36), outer = padded(key, 0x5c);
  Secret<32> digest;
  blake2s(digest.bytes(), {inner.bytes(), text, more});
  blake2s(out, {outer.bytes(), digest.bytes()});
}

void hkdf_blake2s(std::span<std::uint8_t, 32> first, std::span<std::uint8_t, 32> second,
                  std::span<const std::uint8_t, 32> salt, Bytes input) noexcept {
  Secret<32> extracted;
  hmac_blake2s(extracted.bytes(), salt, input);
  hmac_blake2s(first, extracted.bytes(), Bytes(&one, 1));
  hmac_blake2s(second, extracted.bytes(), first, Bytes(&two, 1));
}

void hkdf_blake2s(std::span<std::uint8_t, 32> first, std::span<const std::uint8_t, 32> salt,
                  Bytes input) noexcept {
  Secret<32> extracted;
  hmac_blake2s(extracted.bytes(), salt, input);
  hmac_blake2s(first, extracted.bytes(), Bytes(&one, 1));
}

}  // namespace ts2021::crypto

// SPDX-License-Identifier: BSD-3-Clause
// ChaCha20-Poly1305 (RFC 8439), in place. A text may be empty but not null. The link-time seam: another file
// that defines these functions replaces the cipher, as aead_awslc.cc does for speed and
// tests/fuzz/null_crypto.cc to let a fuzzer through.
#pragma once

#include <cstdint>
#include <span>

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

using AeadKey = std::span<const std::uint8_t, 32>;
using AeadNonce = std::span<const std::uint8_t, 12>;
using AeadTag = std::span<std::uint8_t, 16>;
using AeadTagView = std::span<const std::uint8_t, 16>;

// A cipher context for runs of records without additional data: 1 KiB, so one per thread and direction.
class Aead {
 public:
  Aead() noexcept;  // ends the process without memory
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;
  ~Aead();  // wiped

  // The key stays in the context until the next one or forget_key().
  void set_key(AeadKey key) noexcept;
  void forget_key() noexcept;
  // Encrypts `text` in place.
  void seal(AeadNonce nonce, MutableBytes text, AeadTag tag) noexcept;
  // Decrypts `text` in place; false when the tag is wrong: `text` is garbage then.
  [[nodiscard]] bool open(AeadNonce nonce, MutableBytes text, AeadTagView tag) noexcept;

 private:
  [[maybe_unused]] void* context_;  // the null cipher of fuzz targets has none
};

// One text under a key of its own, with the all-zero nonce, as a handshake has them.
void aead_seal_once(AeadKey key, Bytes additional, MutableBytes text, AeadTag tag) noexcept;
[[nodiscard]] bool aead_open_once(AeadKey key, Bytes additional, MutableBytes text, AeadTagView tag) noexcept;

}  // namespace ts2021::crypto

// SPDX-License-Identifier: BSD-3-Clause
// What CipherScratch keeps: one context per direction, so that an answer does not cost a change of keys.
#pragma once

#include <span>

#include "crypto/aead.h"
#include "ts2021/noise/cipher_scratch.h"

namespace ts2021 {

// A cipher and whose key is in it. `owner` is only compared.
class KeyedAead {
 public:
  // The cipher with the owner's key, which is set only when another one was there.
  [[nodiscard]] crypto::Aead& with(const void* owner, std::span<const std::uint8_t, 32> key) noexcept {
    if (owner_ != owner) {
      aead_.set_key(key);
      owner_ = owner;
    }
    return aead_;
  }
  // Before the owner or its key ends.
  void forget(const void* owner) noexcept {
    if (owner_ != owner) return;
    aead_.forget_key();
    owner_ = nullptr;
  }

 private:
  crypto::Aead aead_;
  const void* owner_ = nullptr;
};

struct CipherScratch::Impl {
  KeyedAead seal, open;
};

}  // namespace ts2021

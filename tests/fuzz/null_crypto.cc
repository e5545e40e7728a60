// SPDX-License-Identifier: BSD-3-Clause
// Stands in for the cipher (crypto/aead.h) at link time, so that a fuzzer gets through to what is inside:
// texts stay as they are, tags are zero, and every tag is good. Only for fuzz targets and the simulation.
#include <algorithm>

#include "crypto/aead.h"

namespace ts2021::crypto {

Aead::Aead() noexcept : context_(nullptr) {}
Aead::~Aead() = default;
void Aead::set_key(AeadKey) noexcept {}
void Aead::forget_key() noexcept {}
void Aead::seal(AeadNonce, MutableBytes, AeadTag tag) noexcept { std::fill(tag.begin(), tag.end(), 0); }
bool Aead::open(AeadNonce, MutableBytes, AeadTagView) noexcept { return true; }
void aead_seal_once(AeadKey, Bytes, MutableBytes, AeadTag tag) noexcept {
  std::fill(tag.begin(), tag.end(), 0);
}
bool aead_open_once(AeadKey, Bytes, MutableBytes, AeadTagView) noexcept { return true; }

}  // namespace ts2021::crypto

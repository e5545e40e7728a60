// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/box.h"

#include <sodium.h>

#include "crypto/init.h"

namespace ts2021::crypto {

bool box_key(std::span<std::uint8_t, 32> out, std::span<const std::uint8_t, 32> secret,
             std::span<const std::uint8_t, 32> peer) noexcept {
  init();
  return crypto_box_beforenm(out.data(), peer.data(), secret.data()) == 0;
}

void box_seal(BoxKey key, BoxNonce nonce, MutableBytes text, std::span<std::uint8_t, 16> tag) noexcept {
  init();
  (void)crypto_box_detached_afternm(text.data(), tag.data(), text.data(), text.size(), nonce.data(),
                                    key.data());  // fails for impossible sizes only
}

bool box_open(BoxKey key, BoxNonce nonce, MutableBytes text, std::span<const std::uint8_t, 16> tag) noexcept {
  init();
  return crypto_box_open_detached_afternm(text.data(), text.data(), tag.data(), text.size(), nonce.data(),
                                          key.data()) == 0;
}

}  // namespace ts2021::crypto

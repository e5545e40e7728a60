// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/ed25519.h"

#include <sodium.h>

#include "crypto/init.h"

namespace ts2021::crypto {

void ed25519_from_seed(std::span<std::uint8_t, 64> out, std::span<const std::uint8_t, 32> seed) noexcept {
  init();
  std::uint8_t open[crypto_sign_PUBLICKEYBYTES];
  (void)crypto_sign_seed_keypair(open, out.data(), seed.data());  // cannot fail
}

void ed25519_sign(std::span<std::uint8_t, 64> out, Bytes message,
                  std::span<const std::uint8_t, 64> key) noexcept {
  init();
  (void)crypto_sign_detached(out.data(), nullptr, message.data(), message.size(), key.data());  // cannot fail
}

bool ed25519_verify(std::span<const std::uint8_t, 32> open, Bytes message,
                    std::span<const std::uint8_t, 64> signature) noexcept {
  init();
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(), open.data()) == 0;
}

}  // namespace ts2021::crypto

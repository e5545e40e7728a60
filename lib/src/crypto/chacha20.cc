// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/chacha20.h"

#include <sodium.h>

#include "crypto/init.h"

namespace ts2021::crypto {

void chacha20_block(std::span<std::uint8_t, 64> out, std::span<const std::uint8_t, 32> key,
                    std::span<const std::uint8_t, 12> nonce, std::uint32_t block) noexcept {
  init();
  constexpr std::uint8_t zeros[64] = {};
  (void)crypto_stream_chacha20_ietf_xor_ic(out.data(), zeros, out.size(), nonce.data(), block, key.data());
}

}  // namespace ts2021::crypto

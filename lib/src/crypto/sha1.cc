// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/sha1.h"

#include <openssl/sha.h>

namespace ts2021::crypto {

std::array<std::uint8_t, 20> sha1(Bytes message) noexcept {
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest{};
  SHA1(message.data(), message.size(), digest.data());
  return digest;
}

}  // namespace ts2021::crypto

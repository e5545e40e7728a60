// SPDX-License-Identifier: BSD-3-Clause
// ECDSA over P-256 with SHA-256, as JSON web tokens have it (ES256). Keys and signatures draw libcrypto's own
// randomness.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

class Es256Key {
 public:
  [[nodiscard]] static std::optional<Es256Key> generate() noexcept;
  // A private key of this curve in PEM, without a password.
  [[nodiscard]] static std::optional<Es256Key> from_pem(std::string_view pem) noexcept;
  Es256Key(Es256Key&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}
  Es256Key& operator=(Es256Key&&) = delete;
  ~Es256Key();

  [[nodiscard]] std::string pem() const;  // PKCS#8; secret
  struct Point {
    std::array<std::uint8_t, 32> x, y;
  };
  [[nodiscard]] Point open() const noexcept;
  // r, then s. May be called from several threads at once. Nothing without memory.
  [[nodiscard]] std::optional<std::array<std::uint8_t, 64>> sign(Bytes message) const noexcept;
  [[nodiscard]] static bool verify(const Point& open, Bytes message, Bytes signature) noexcept;

 private:
  explicit Es256Key(void* key) noexcept : key_(key) {}
  void* key_;  // EVP_PKEY
};

}  // namespace ts2021::crypto

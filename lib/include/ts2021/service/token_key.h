// SPDX-License-Identifier: BSD-3-Clause
// The key with which a server signs the identity tokens of its nodes (ES256).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ts2021/base/result.h"

namespace ts2021 {

class TokenKey {
 public:
  // A fresh one. Unlike all else here it draws the crypto library's own randomness. Error out_of_memory.
  [[nodiscard]] static Result<TokenKey> generate();
  // As pem() gave it. Error bad_key_text.
  [[nodiscard]] static Result<TokenKey> from_pem(std::string_view pem);
  TokenKey(TokenKey&&) noexcept;
  TokenKey& operator=(TokenKey&&) noexcept;
  ~TokenKey();

  [[nodiscard]] std::string pem() const;               // PKCS#8, for a file that nobody else may read
  [[nodiscard]] std::string_view id() const noexcept;  // names the key in tokens and in the key set

  // For the service; may be used from several threads at once.
  struct Impl;
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

 private:
  explicit TokenKey(std::unique_ptr<const Impl> impl) noexcept;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// Identity tokens and the documents by which they are checked.
#pragma once

#include <optional>
#include <string>

#include "crypto/es256.h"
#include "ts2021/base/bytes.h"
#include "ts2021/msg/id_token.h"
#include "ts2021/service/token_key.h"

namespace ts2021 {

struct TokenKey::Impl {
  crypto::Es256Key key;
  std::string id;
};

namespace service {

// Without padding, as web tokens have it.
[[nodiscard]] std::string base64url(Bytes bytes);
// Header, claims and signature; none without memory.
[[nodiscard]] std::optional<std::string> signed_token(const TokenKey& key, const TokenClaims& claims);
[[nodiscard]] WebKeySet key_set(const TokenKey& key);

}  // namespace service
}  // namespace ts2021

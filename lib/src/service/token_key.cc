// SPDX-License-Identifier: BSD-3-Clause
#include "service/token_key.h"

#include <array>
#include <utility>

#include "crypto/blake2s.h"
#include "crypto/hex.h"

namespace ts2021 {
namespace {

// Follows from the public key, so that it stays with it.
std::string id_of(const crypto::Es256Key& key) {
  const auto open = key.open();
  std::array<std::uint8_t, 32> hash{};
  crypto::blake2s(hash, {open.x, open.y});
  std::string out(16, '0');
  crypto::encode_hex(Bytes(hash).first(8), out);
  return out;
}

}  // namespace

TokenKey::TokenKey(std::unique_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
TokenKey::TokenKey(TokenKey&&) noexcept = default;
TokenKey& TokenKey::operator=(TokenKey&&) noexcept = default;
TokenKey::~TokenKey() = default;

Result<TokenKey> TokenKey::generate() {
  auto key = crypto::Es256Key::generate();
  if (!key) return fail(Errc::out_of_memory, 1108);
  std::string id = id_of(*key);
  return TokenKey(std::make_unique<const Impl>(Impl{*std::move(key), std::move(id)}));
}

Result<TokenKey> TokenKey::from_pem(std::string_view pem) {
  auto key = crypto::Es256Key::from_pem(pem);
  if (!key) return fail(Errc::bad_key_text, 1109);
  std::string id = id_of(*key);
  return TokenKey(std::make_unique<const Impl>(Impl{*std::move(key), std::move(id)}));
}

std::string TokenKey::pem() const { return impl_->key.pem(); }
std::string_view TokenKey::id() const noexcept { return impl_->id; }

namespace service {

std::string base64url(Bytes bytes) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8 | byte) & 0xffff;
    for (count += 8; count >= 6; count -= 6) out += digits[bits >> (count - 6) & 63];
  }
  if (count > 0) out += digits[bits << (6 - count) & 63];
  return out;
}

std::optional<std::string> signed_token(const TokenKey& key, const TokenClaims& claims) {
  const TokenHeader header{"ES256", std::string(key.id()), "JWT"};
  std::string token = base64url(as_bytes(encoded(header))) + "." + base64url(as_bytes(encoded(claims)));
  const auto signature = key.impl().key.sign(as_bytes(token));
  if (!signature) return std::nullopt;
  return token + "." + base64url(*signature);
}

WebKeySet key_set(const TokenKey& key) {
  const auto open = key.impl().key.open();
  return {{{"EC", "P-256", base64url(open.x), base64url(open.y), "sig", "ES256", std::string(key.id())}}};
}

}  // namespace service
}  // namespace ts2021

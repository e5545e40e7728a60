// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/key/key.h"

#include <algorithm>

#include "base/try.h"
#include "crypto/ed25519.h"
#include "crypto/hex.h"
#include "crypto/x25519.h"
#include "key/public_hex.h"

namespace ts2021 {
namespace {

using namespace std::string_view_literals;

// KEY-1. An alias is read but never written: the display form of tailnet-lock keys.
struct PublicNames {
  std::string_view prefix, alias;
};
constexpr PublicNames public_names(KeyKind kind) noexcept {
  switch (kind) {
    case KeyKind::machine:
    case KeyKind::control_noise:
    case KeyKind::control_box:
      return {"mkey:", {}};
    case KeyKind::node:
      return {"nodekey:", {}};
    case KeyKind::disco:
      return {"discokey:", {}};
    case KeyKind::challenge:
      return {"chalpub:", {}};
    case KeyKind::tailnet_lock:
      return {"nlpub:", "tlpub:"};
  }
  return {};
}

// KEY-3: machine and node secrets share a prefix, so a text does not tell which of them it is.
constexpr std::string_view secret_prefix(KeyKind kind) noexcept {
  return kind == KeyKind::tailnet_lock ? "nlpriv:"sv : "privkey:"sv;
}

// The digits behind the prefix, or nothing at all: no trimming, no other case (KEY-2).
constexpr std::string_view after(std::string_view prefix, std::string_view text) noexcept {
  return !prefix.empty() && text.starts_with(prefix) ? text.substr(prefix.size()) : std::string_view{};
}

bool all_zero(Bytes bytes) noexcept {
  std::uint8_t any = 0;
  for (const std::uint8_t byte : bytes) any = static_cast<std::uint8_t>(any | byte);
  return any == 0;
}

std::string hex_text(std::string_view prefix, Bytes bytes) {
  std::string text(prefix.size() + 2 * bytes.size(), '\0');
  std::copy(prefix.begin(), prefix.end(), text.begin());
  crypto::encode_hex(bytes, std::span<char>(text).subspan(prefix.size()));
  return text;
}

constexpr std::string_view attestation_prefix = "hwattestpub:";

}  // namespace

template <KeyKind K>
Result<PublicKey<K>> PublicKey<K>::parse(std::string_view text) noexcept {
  constexpr PublicNames names = public_names(K);
  PublicKey key;
  if (read_public_hex(after(names.prefix, text), key.bytes_)) return key;
  if (read_public_hex(after(names.alias, text), key.bytes_)) return key;
  return fail(Errc::bad_key_text, 100);
}

template <KeyKind K>
Result<PublicKey<K>> PublicKey<K>::parse_bare(std::string_view hex) noexcept
    requires(K == KeyKind::machine || K == KeyKind::control_box) {
  PublicKey key;
  if (!read_public_hex(hex, key.bytes_)) return fail(Errc::bad_key_text, 101);  // KEY-5
  return key;
}

template <KeyKind K>
PublicKey<K> PublicKey<K>::from_bytes(std::span<const std::uint8_t, size> raw) noexcept {
  PublicKey key;
  std::copy(raw.begin(), raw.end(), key.bytes_.begin());
  return key;
}

template <KeyKind K>
bool PublicKey<K>::is_zero() const noexcept {
  return all_zero(bytes_);
}

template <KeyKind K>
bool PublicKey<K>::is_canonical() const noexcept {
  // 2^255 - 19 is ed ff … ff 7f: only values with 30 bytes of ff in the middle can reach it (HSK-9).
  if (bytes_[31] > 0x7f) return false;
  if (bytes_[31] < 0x7f || bytes_[0] < 0xed) return true;
  return !std::all_of(bytes_.begin() + 1, bytes_.end() - 1, [](std::uint8_t b) { return b == 0xff; });
}

template <KeyKind K>
char* PublicKey<K>::write_text(char* out) const noexcept {
  constexpr std::string_view prefix = public_names(K).prefix;
  static_assert(prefix.size() + 2 * size <= max_text_size);
  return write_public_hex(bytes_, std::copy(prefix.begin(), prefix.end(), out));
}

template <KeyKind K>
std::string PublicKey<K>::text() const {
  return hex_text(public_names(K).prefix, bytes_);
}

template <KeyKind K>
std::string PublicKey<K>::bare_text() const {
  return hex_text({}, bytes_);
}

template <KeyKind K>
std::string PublicKey<K>::short_text() const {
  if (is_zero()) return {};
  if constexpr (K == KeyKind::disco) return hex_text("d:", Bytes(bytes_).first(8));
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::uint32_t bits = load_u32be(bytes_);
  std::string text = "[";
  for (unsigned shift = 26; text.size() < 6; shift -= 6) text += digits[(bits >> shift) & 63];
  return text += ']';
}

template <KeyKind K>
PrivateKey<K> PrivateKey<K>::generate(Entropy& entropy) noexcept {
  PrivateKey key;
  const auto bytes = key.bytes_.bytes();
  if constexpr (K == KeyKind::tailnet_lock) {
    Secret<32> seed;
    entropy.fill(seed.bytes());
    crypto::ed25519_from_seed(bytes, seed.bytes());
  } else {
    entropy.fill(bytes);
    bytes[0] = static_cast<std::uint8_t>(bytes[0] & 0xf8);  // KEY-4
    bytes[31] = static_cast<std::uint8_t>((bytes[31] & 0x7f) | 0x40);
  }
  return key;
}

template <KeyKind K>
Result<PrivateKey<K>> PrivateKey<K>::parse(std::string_view text) noexcept requires has_secret_text<K> {
  PrivateKey key;
  if (!crypto::decode_hex(after(secret_prefix(K), text), key.bytes_.bytes()))
    return fail(Errc::bad_key_text, 102);
  return key;  // KEY-4: as it is, not clamped
}

template <KeyKind K>
PrivateKey<K> PrivateKey<K>::from_bytes(std::span<const std::uint8_t, secret_size<K>> raw) noexcept {
  PrivateKey key;
  key.bytes_ = Secret<secret_size<K>>(raw);
  return key;
}

template <KeyKind K>
bool PrivateKey<K>::is_zero() const noexcept {
  return all_zero(bytes_.bytes());
}

template <KeyKind K>
PublicKey<K> PrivateKey<K>::public_key() const noexcept {
  if (is_zero()) return {};  // absent stays absent
  if constexpr (K == KeyKind::tailnet_lock) {
    return PublicKey<K>::from_bytes(bytes_.bytes().template last<32>());
  } else {
    std::array<std::uint8_t, 32> open{};
    crypto::x25519_base(open, bytes_.bytes());
    return PublicKey<K>::from_bytes(open);
  }
}

template <KeyKind K>
std::string PrivateKey<K>::reveal_text() const requires has_secret_text<K> {
  return hex_text(secret_prefix(K), bytes_.bytes());
}

template class PublicKey<KeyKind::machine>;
template class PublicKey<KeyKind::control_noise>;
template class PublicKey<KeyKind::control_box>;
template class PublicKey<KeyKind::node>;
template class PublicKey<KeyKind::disco>;
template class PublicKey<KeyKind::challenge>;
template class PublicKey<KeyKind::tailnet_lock>;
template class PrivateKey<KeyKind::machine>;
template class PrivateKey<KeyKind::control_noise>;
template class PrivateKey<KeyKind::control_box>;
template class PrivateKey<KeyKind::node>;
template class PrivateKey<KeyKind::disco>;
template class PrivateKey<KeyKind::challenge>;
template class PrivateKey<KeyKind::tailnet_lock>;

Result<void> check_distinct(const ControlNoisePublic& noise, const ControlBoxPublic& box) noexcept {
  if (std::ranges::equal(noise.bytes(), box.bytes())) return fail(Errc::equal_keys, 103);  // KEY-6
  return {};
}

Result<HardwareAttestationPublic> HardwareAttestationPublic::parse(std::string_view text) noexcept {
  HardwareAttestationPublic key;
  if (!text.empty() && !crypto::decode_hex(after(attestation_prefix, text), key.bytes_))  // KEY-7
    return fail(Errc::bad_key_text, 104);
  return key;
}

bool HardwareAttestationPublic::is_zero() const noexcept { return all_zero(bytes_); }

std::string HardwareAttestationPublic::text() const {
  return is_zero() ? std::string{} : hex_text(attestation_prefix, bytes_);
}

}  // namespace ts2021

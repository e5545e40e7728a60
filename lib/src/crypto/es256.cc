// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/es256.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

namespace ts2021::crypto {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

// A public key of P-256 as X.509 has it: a fixed head, then the point in its long form.
constexpr std::array<std::uint8_t, 27> info_head{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                                 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                                 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr std::size_t info_size = info_head.size() + 64;

std::vector<std::uint8_t> info_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return {};
  std::vector<std::uint8_t> out(der, der + size);
  OPENSSL_free(der);
  return out;
}

bool is_p256(EVP_PKEY* key) {
  const auto info = info_of(key);
  return info.size() == info_size && std::equal(info_head.begin(), info_head.end(), info.begin());
}

int no_password(char*, int, int, void*) { return -1; }

EVP_PKEY* pkey(void* key) noexcept { return static_cast<EVP_PKEY*>(key); }

}  // namespace

std::optional<Es256Key> Es256Key::generate() noexcept {
  const PkeyContext context(EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nullptr));
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.get(), NID_X9_62_prime256v1) != 1 ||
      EVP_PKEY_keygen(context.get(), &made) != 1)
    return std::nullopt;
  return Es256Key(made);
}

std::optional<Es256Key> Es256Key::from_pem(std::string_view pem) noexcept {
  if (pem.size() > std::size_t{std::numeric_limits<int>::max()}) return std::nullopt;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return std::nullopt;
  Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key || !is_p256(key.get())) return std::nullopt;
  return Es256Key(key.release());
}

Es256Key::~Es256Key() { EVP_PKEY_free(pkey(key_)); }

std::string Es256Key::pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey(key_), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return {};
  std::string out(static_cast<std::size_t>(BIO_pending(bio.get())), '\0');
  const int size = BIO_read(bio.get(), out.data(), static_cast<int>(out.size()));
  out.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return out;
}

Es256Key::Point Es256Key::open() const noexcept {
  Point out{};
  const auto info = info_of(pkey(key_));
  if (info.size() != info_size) return out;
  const auto x = info.begin() + info_head.size();
  std::copy(x, x + 32, out.x.begin());
  std::copy(x + 32, x + 64, out.y.begin());
  return out;
}

std::optional<std::array<std::uint8_t, 64>> Es256Key::sign(Bytes message) const noexcept {
  const DigestContext context(EVP_MD_CTX_new());
  std::array<std::uint8_t, 80> der{};
  std::size_t size = der.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, pkey(key_)) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &size, message.data(), message.size()) != 1)
    return std::nullopt;
  const unsigned char* at = der.data();
  const Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  if (!signature) return std::nullopt;
  std::array<std::uint8_t, 64> out{};
  const BIGNUM *r = nullptr, *s = nullptr;
  ECDSA_SIG_get0(signature.get(), &r, &s);
  if (BN_bn2binpad(r, out.data(), 32) != 32 || BN_bn2binpad(s, out.data() + 32, 32) != 32)
    return std::nullopt;
  return out;
}

bool Es256Key::verify(const Point& open, Bytes message, Bytes signature) noexcept {
  if (signature.size() != 64) return false;
  std::vector<std::uint8_t> info(info_head.begin(), info_head.end());
  info.insert(info.end(), open.x.begin(), open.x.end());
  info.insert(info.end(), open.y.begin(), open.y.end());
  const unsigned char* at = info.data();
  const Pkey key(d2i_PUBKEY(nullptr, &at, static_cast<long>(info.size())));
  const Signature parsed(ECDSA_SIG_new());
  BIGNUM* const r = BN_bin2bn(signature.data(), 32, nullptr);
  BIGNUM* const s = BN_bin2bn(signature.data() + 32, 32, nullptr);
  if (!key || !parsed || !r || !s || ECDSA_SIG_set0(parsed.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return false;
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parsed.get(), &der);
  if (size <= 0) return false;
  const DigestContext context(EVP_MD_CTX_new());
  const bool good =
      context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), der, static_cast<std::size_t>(size), message.data(), message.size()) ==
          1;
  OPENSSL_free(der);
  return good;
}

}  // namespace ts2021::crypto

// SPDX-License-Identifier: BSD-3-Clause
// aead.h on AWS-LC, through its own AEAD interface: keys are set and texts sealed without an allocation.
#include <openssl/aead.h>
#include <cstdlib>
#include <new>

#include "crypto/aead.h"
#include "ts2021/base/secret.h"

namespace ts2021::crypto {
namespace {

constexpr std::uint8_t zeros[32] = {};

EVP_AEAD_CTX* context(void* p) noexcept { return static_cast<EVP_AEAD_CTX*>(p); }

void init(EVP_AEAD_CTX* ctx, AeadKey key) noexcept {
  if (EVP_AEAD_CTX_init(ctx, EVP_aead_chacha20_poly1305(), key.data(), key.size(),
                        EVP_AEAD_DEFAULT_TAG_LENGTH, nullptr) != 1)
    std::abort();
}

void wipe_context(EVP_AEAD_CTX* ctx) noexcept {
  EVP_AEAD_CTX_cleanup(ctx);
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(ctx), sizeof *ctx));
}

void seal_with(const EVP_AEAD_CTX* ctx, const std::uint8_t* nonce, Bytes additional, MutableBytes text,
               AeadTag tag) noexcept {
  std::size_t tag_size = 0;
  if (EVP_AEAD_CTX_seal_scatter(ctx, text.data(), tag.data(), &tag_size, tag.size(), nonce, 12, text.data(),
                                text.size(), nullptr, 0, additional.data(), additional.size()) != 1)
    std::abort();  // going on would send plaintext
}

bool open_with(const EVP_AEAD_CTX* ctx, const std::uint8_t* nonce, Bytes additional, MutableBytes text,
               AeadTagView tag) noexcept {
  return EVP_AEAD_CTX_open_gather(ctx, text.data(), nonce, 12, text.data(), text.size(), tag.data(),
                                  tag.size(), additional.data(), additional.size()) == 1;
}

// A context for one text.
class OneContext {
 public:
  explicit OneContext(AeadKey key) noexcept { init(&ctx_, key); }
  OneContext(const OneContext&) = delete;
  OneContext& operator=(const OneContext&) = delete;
  ~OneContext() { wipe_context(&ctx_); }
  const EVP_AEAD_CTX* get() const noexcept { return &ctx_; }

 private:
  EVP_AEAD_CTX ctx_;
};

}  // namespace

Aead::Aead() noexcept : context_(new (std::nothrow) EVP_AEAD_CTX) {
  if (!context_) std::abort();
  init(context(context_), zeros);
}

Aead::~Aead() {
  wipe_context(context(context_));
  delete context(context_);
}

void Aead::set_key(AeadKey key) noexcept {
  wipe_context(context(context_));
  init(context(context_), key);
}

void Aead::forget_key() noexcept { set_key(zeros); }

void Aead::seal(AeadNonce nonce, MutableBytes text, AeadTag tag) noexcept {
  seal_with(context(context_), nonce.data(), {}, text, tag);
}

bool Aead::open(AeadNonce nonce, MutableBytes text, AeadTagView tag) noexcept {
  return open_with(context(context_), nonce.data(), {}, text, tag);
}

void aead_seal_once(AeadKey key, Bytes additional, MutableBytes text, AeadTag tag) noexcept {
  seal_with(OneContext(key).get(), zeros, additional, text, tag);
}

bool aead_open_once(AeadKey key, Bytes additional, MutableBytes text, AeadTagView tag) noexcept {
  return open_with(OneContext(key).get(), zeros, additional, text, tag);
}

}  // namespace ts2021::crypto

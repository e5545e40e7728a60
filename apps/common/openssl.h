// SPDX-License-Identifier: BSD-3-Clause
// Ownership of OpenSSL's objects, and its errors as exceptions.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace ts2021::app {

template <auto free>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const noexcept {
    free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;

// The oldest error of this thread's queue, which is the one that caused the others; empties the queue.
[[nodiscard]] inline std::string take_openssl_error() {
  const auto code = ERR_get_error();
  const char* const reason = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return reason ? reason : "unknown error";
}

// Throws std::runtime_error "what: reason" unless `good`.
inline void check_openssl(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what + ": " + take_openssl_error());
}

}  // namespace ts2021::app

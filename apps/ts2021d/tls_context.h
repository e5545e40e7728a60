// SPDX-License-Identifier: BSD-3-Clause
// The certificate that the https listener shows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/openssl.h"

namespace ts2021::app {

// Where it comes from: two files, or a directory in which certificates for `hosts` are made (self_signed.h).
struct TlsSource {
  std::string certificate, key;  // PEM; the certificate's file may go on with those that issued it
  std::string self_signed;       // directory; empty: the two files
  std::vector<std::string> hosts;
};

// Immutable once made, and shared by the connections that began with it: a new certificate is a new context.
// TLS 1.2 and 1.3 with forward secrecy only, HTTP/1.1 by ALPN or without it; no resumption, no renegotiation.
using TlsContext = std::shared_ptr<SSL_CTX>;

// Reads files, and writes them in a self-signed directory. Throws std::runtime_error that names the file.
[[nodiscard]] TlsContext open_tls(const TlsSource& source);

}  // namespace ts2021::app

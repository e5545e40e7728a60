// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/tls_context.h"

#include "ts2021d/self_signed.h"

namespace ts2021::app {
namespace {

constexpr unsigned char protocols[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, protocols, sizeof protocols, offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A key behind a passphrase is refused rather than asked for on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

TlsContext open_files(const std::string& certificate, const std::string& key) {
  SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  check_openssl(context != nullptr, "TLS");
  SSL_CTX* const c = context.get();
  SSL_CTX_set_default_passwd_cb(c, no_passphrase);
  check_openssl(SSL_CTX_use_certificate_chain_file(c, certificate.c_str()) == 1, certificate);
  // Refused if it isn't that of the certificate.
  check_openssl(SSL_CTX_use_PrivateKey_file(c, key.c_str(), SSL_FILETYPE_PEM) == 1, key);
  check_openssl(SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
                    SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
                    SSL_CTX_set_num_tickets(c, 0) == 1,
                "TLS");
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
  // HTTP and Noise both tell a cut from an end, and clients go away without a close_notify.
  SSL_CTX_set_options(c, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(
      c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // One record per read, also when it carries nothing: a peer of many empty ones has to wait for its turn.
  SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_alpn_select_cb(c, select_protocol, nullptr);
  return TlsContext(std::move(context));
}

}  // namespace

TlsContext open_tls(const TlsSource& source) {
  if (source.self_signed.empty()) return open_files(source.certificate, source.key);
  const SelfSigned made = make_self_signed(source.self_signed, source.hosts);
  return open_files(made.certificate, made.key);
}

}  // namespace ts2021::app

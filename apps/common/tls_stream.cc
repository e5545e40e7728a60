// SPDX-License-Identifier: BSD-3-Clause
#include "common/tls_stream.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace ts2021::app {
namespace {

constexpr std::size_t record_size = 16 << 10;  // bytes

}  // namespace

TlsStream::TlsStream(SSL_CTX& context, int socket) : ssl_(SSL_new(&context)) {
  check_openssl(ssl_ && SSL_set_fd(ssl_.get(), socket) == 1, "TLS");
  SSL_set_accept_state(ssl_.get());
}

TlsStream::TlsStream(SSL_CTX& context, int socket, const std::string& server) : ssl_(SSL_new(&context)) {
  check_openssl(ssl_ && SSL_set_fd(ssl_.get(), socket) == 1, "TLS");
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), server.c_str()) == 1;
  ERR_clear_error();
  // A server's name is a name only (RFC 6066).
  if (!is_address)
    check_openssl(SSL_set_tlsext_host_name(ssl_.get(), server.c_str()) == 1 &&
                      SSL_set1_host(ssl_.get(), server.c_str()) == 1,
                  "TLS");
  SSL_set_connect_state(ssl_.get());
}

Io TlsStream::handshake() noexcept {
  if (broken_) return Io::failed;
  errno = 0;
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) return Io::some;
  read_wants_write_ = SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_WRITE;
  return outcome(done);
}

IoResult TlsStream::read(MutableBytes out) noexcept {
  if (broken_) return {Io::failed};
  errno = 0;
  ERR_clear_error();
  const int got = SSL_read(ssl_.get(), out.data(), static_cast<int>(std::min(out.size(), record_size)));
  if (got > 0) {
    read_wants_write_ = false;
    return {Io::some, static_cast<std::size_t>(got)};
  }
  read_wants_write_ = SSL_get_error(ssl_.get(), got) == SSL_ERROR_WANT_WRITE;
  return {outcome(got)};
}

IoResult TlsStream::write(Bytes bytes) noexcept {
  if (broken_ || !SSL_is_init_finished(ssl_.get())) return {Io::failed};
  errno = 0;
  ERR_clear_error();
  const int sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), record_size)));
  if (sent > 0) return {Io::some, static_cast<std::size_t>(sent)};
  return {outcome(sent)};
}

void TlsStream::close() noexcept {
  if (broken_ || !SSL_is_init_finished(ssl_.get())) return;
  ERR_clear_error();
  (void)SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

Io TlsStream::outcome(int result) noexcept {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Io::blocked;
    case SSL_ERROR_ZERO_RETURN:
      return Io::ended;
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      if (errno != 0) error_ = std::generic_category().message(errno);
      return Io::failed;
    default:
      broken_ = true;
      error_ = take_openssl_error();
      return Io::failed;
  }
}

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// TLS over one socket, with the face of read_some().
#pragma once

#include <string>

#include "common/openssl.h"
#include "common/socket.h"

namespace ts2021::app {

// The handshake is part of reading. Until it is done OpenSSL holds at most what one ClientHello may have
// (128 KiB), afterwards two records (32 KiB) while something is in flight, and none at rest. The socket must
// outlive the stream.
class TlsStream {
 public:
  // The server's end of an accepted socket. Throws std::runtime_error.
  TlsStream(SSL_CTX& context, int socket);
  // The client's end: `server` is a host name or an address, asked for and, if the context verifies, to be
  // found in the certificate. Throws std::runtime_error.
  TlsStream(SSL_CTX& context, int socket, const std::string& server);

  // What read() would do for a client before there is anything to read: Io::some once it is done.
  [[nodiscard]] Io handshake() noexcept;

  // `out` must have room for a record, 16 KiB: so nothing readable stays behind inside OpenSSL.
  [[nodiscard]] IoResult read(MutableBytes out) noexcept;
  // One record. After Io::blocked the next call has to begin with the same bytes and may bring more.
  // Io::failed before the handshake is done.
  [[nodiscard]] IoResult write(Bytes bytes) noexcept;
  // The last read() waits for room in the socket's queue, not for bytes.
  [[nodiscard]] bool read_wants_write() const noexcept { return read_wants_write_; }
  // Sends close_notify if the socket takes it now.
  void close() noexcept;

  // Why the stream has failed; empty: it hasn't, or the peer has just gone.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] SSL* handle() const noexcept { return ssl_.get(); }

 private:
  [[nodiscard]] Io outcome(int result) noexcept;

  SslPtr ssl_;
  std::string error_;
  bool read_wants_write_ = false, broken_ = false;
};

}  // namespace ts2021::app

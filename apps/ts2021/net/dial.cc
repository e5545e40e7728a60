// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/net/dial.h"

#include <poll.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/openssl.h"

namespace ts2021::app {
namespace {

std::vector<unsigned char> alpn_list(const std::vector<std::string>& names) {
  std::vector<unsigned char> list;
  for (const std::string& name : names) {
    list.push_back(static_cast<unsigned char>(name.size()));
    list.insert(list.end(), name.begin(), name.end());
  }
  return list;
}

SslCtxPtr client_context(const DialOptions& options) {
  SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  check_openssl(context != nullptr, "TLS");
  SSL_CTX* const c = context.get();
  check_openssl(SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1, "TLS");
  if (const auto alpn = alpn_list(options.alpn); !alpn.empty())
    check_openssl(SSL_CTX_set_alpn_protos(c, alpn.data(), static_cast<unsigned>(alpn.size())) == 0, "TLS");
  SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
  SSL_CTX_set_options(c, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
  SSL_CTX_set_verify(c, options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_default_verify_paths(c);
  ERR_clear_error();
  if (!options.ca_file.empty())
    check_openssl(SSL_CTX_load_verify_locations(c, options.ca_file.c_str(), nullptr) == 1, options.ca_file);
  return context;
}

// What a failed handshake says; of a refused certificate the reason.
std::string reason(const TlsStream& stream) {
  const long verified = SSL_get_verify_result(stream.handle());
  if (verified != X509_V_OK && SSL_get_verify_mode(stream.handle()) != SSL_VERIFY_NONE)
    return std::string("the certificate is refused: ") + X509_verify_cert_error_string(verified);
  return stream.error().empty() ? "the server ended the connection" : stream.error();
}

void shake_hands(TlsStream& stream, int socket, std::chrono::milliseconds timeout) {
  const Instant deadline = now().mono + timeout;
  while (true) {
    const Io done = stream.handshake();
    if (done == Io::some) return;
    if (done != Io::blocked) throw DialError(DialStep::tls, reason(stream));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now().mono).count();
    pollfd waiting{socket, static_cast<short>(stream.read_wants_write() ? POLLOUT : POLLIN), 0};
    if (left <= 0 || poll(&waiting, 1, static_cast<int>(left)) == 0)
      throw DialError(DialStep::tls, "no answer to the ClientHello in time");
  }
}

}  // namespace

const char* name(DialStep step) noexcept {
  switch (step) {
    case DialStep::look_up:
      return "look-up";
    case DialStep::connect:
      return "connect";
    case DialStep::tls:
      return "TLS";
  }
  return "";
}

IoResult ByteStream::read(MutableBytes out) noexcept {
  return tls_ ? tls_->read(out) : read_some(socket_.get(), out);
}

IoResult ByteStream::write(std::span<const Bytes> pieces) noexcept {
  if (!tls_) return write_some(socket_.get(), pieces);
  return tls_->write(pieces.front());
}

Fd connect_first(const Endpoint& endpoint, const DialOptions& options, DialReport& report) {
  const auto timed = [](std::chrono::nanoseconds& into, DialStep step, const auto& what) {
    const Instant begun = now().mono;
    try {
      auto result = what();
      into = now().mono - begun;
      return result;
    } catch (const std::runtime_error& error) {
      into = now().mono - begun;
      throw DialError(step, error.what());
    }
  };
  const std::vector<Address> addresses =
      timed(report.look_up, DialStep::look_up, [&] { return look_up(endpoint); });
  return timed(report.connect, DialStep::connect, [&] {
    for (std::size_t i = 0;; ++i) {
      report.address = addresses[i].text;
      try {
        return connect_to(addresses[i], static_cast<int>(options.timeout.count()));
      } catch (const std::runtime_error&) {
        if (i + 1 == addresses.size()) throw;
      }
    }
  });
}

ByteStream start_tls(Fd socket, const std::string& server, const DialOptions& options) {
  try {
    const SslCtxPtr context = client_context(options);
    TlsStream stream(*context, socket.get(), server);
    shake_hands(stream, socket.get(), options.timeout);
    return {std::move(socket), std::move(stream)};
  } catch (const DialError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw DialError(DialStep::tls, error.what());
  }
}

ByteStream dial(const ControlUrl& url, const DialOptions& options, DialReport* report) {
  DialReport unread;
  DialReport& r = report ? *report : unread;
  Fd socket = connect_first(url.endpoint, options, r);
  if (!url.tls) return ByteStream(std::move(socket));
  const Instant begun = now().mono;
  ByteStream stream = start_tls(std::move(socket), url.endpoint.host, options);
  r.tls = now().mono - begun;
  return stream;
}

}  // namespace ts2021::app

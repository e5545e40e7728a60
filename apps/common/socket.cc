// SPDX-License-Identifier: BSD-3-Clause
#include "common/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace ts2021::app {
namespace {

[[noreturn]] void raise(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

AddressList resolve(const Endpoint& endpoint, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  const int rc =
      getaddrinfo(endpoint.host.empty() ? nullptr : endpoint.host.c_str(), port.c_str(), &hints, &found);
  if (rc != 0) throw std::runtime_error(endpoint.text() + ": " + gai_strerror(rc));
  return {found, &freeaddrinfo};
}

// TCP keep-alive finds dead peers within about 90 s; small map messages must not wait for more.
void tune(int fd) noexcept {
  const int on = 1, idle = 60, interval = 10, count = 3;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

Endpoint endpoint_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
    return {text, ntohs(in6.sin6_port)};
  }
  const auto& in = reinterpret_cast<const sockaddr_in&>(address);
  inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
  return {text, ntohs(in.sin_port)};
}

}  // namespace

void Fd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

std::string Endpoint::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return std::nullopt;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  Endpoint endpoint{std::string(host), 0};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  return endpoint;
}

Fd listen_on(const Endpoint& endpoint) {
  const AddressList addresses = resolve(endpoint, AI_PASSIVE);
  for (const addrinfo* a = addresses.get(); a; a = a->ai_next) {
    Fd fd(socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol));
    if (!fd) continue;
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd.get(), a->ai_addr, a->ai_addrlen) == 0 && listen(fd.get(), 4096) == 0) return fd;
  }
  raise("can't listen on " + endpoint.text());
}

Fd listen_on_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    errno = path.empty() ? ENOENT : ENAMETOOLONG;
    raise("can't listen on " + path);
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  // A socket that refuses is left over.
  struct stat status {};
  const bool is_socket = lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (is_socket && probe && connect(probe.get(), generic, sizeof address) != 0 && errno == ECONNREFUSED)
    unlink(path.c_str());
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // The mode of an unbound socket is that of the file which bind() makes.
  if (!fd || fchmod(fd.get(), 0600) != 0 || bind(fd.get(), generic, sizeof address) != 0 ||
      listen(fd.get(), 4096) != 0)
    raise("can't listen on " + path);
  return fd;
}

std::vector<Address> look_up(const Endpoint& endpoint) {
  const AddressList found = resolve(endpoint, 0);
  std::vector<Address> addresses;
  for (const addrinfo* a = found.get(); a; a = a->ai_next) {
    Address address;
    if (a->ai_addrlen > address.storage.size()) continue;
    std::memcpy(address.storage.data(), a->ai_addr, a->ai_addrlen);
    address.size = a->ai_addrlen;
    sockaddr_storage storage{};
    std::memcpy(&storage, a->ai_addr, a->ai_addrlen);
    address.text = endpoint_of(storage).text();
    addresses.push_back(std::move(address));
  }
  if (addresses.empty()) throw std::runtime_error(endpoint.text() + ": has no address");
  return addresses;
}

Fd connect_to(const Address& address, int timeout_ms) {
  sockaddr_storage storage{};
  std::memcpy(&storage, address.storage.data(), address.size);
  Fd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto check = [&](bool good) {
    if (!good) raise("can't connect to " + address.text);
  };
  check(static_cast<bool>(fd));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), address.size) != 0) {
    check(errno == EINPROGRESS);
    pollfd waiting{fd.get(), POLLOUT, 0};
    if (poll(&waiting, 1, timeout_ms) != 1) {
      errno = ETIMEDOUT;
      check(false);
    }
    socklen_t size = sizeof errno;
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &errno, &size);
    check(errno == 0);
  }
  tune(fd.get());
  return fd;
}

Fd connect_to(const Endpoint& endpoint, int timeout_ms) {
  const std::vector<Address> addresses = look_up(endpoint);
  for (std::size_t i = 0;; ++i) try {
      return connect_to(addresses[i], timeout_ms);
    } catch (const std::runtime_error&) {
      if (i + 1 == addresses.size()) throw;
    }
}

Endpoint local_endpoint(const Fd& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) raise("getsockname");
  return endpoint_of(address);
}

bool is_loopback(const Fd& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) raise("getsockname");
  if (address.ss_family == AF_INET6)
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  if (address.ss_family != AF_INET) return address.ss_family == AF_UNIX;
  return ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == 127;
}

Fd accept_from(const Fd& listener, Peer& peer) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  Fd fd(accept4(listener.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd && address.ss_family == AF_UNIX) {
    peer.loopback = true;
  } else if (fd) {
    tune(fd.get());
    peer.text = endpoint_of(address).text();
    if (address.ss_family == AF_INET6) {
      const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
      std::memcpy(peer.address.data(), in6.s6_addr, 16);
      peer.loopback = IN6_IS_ADDR_LOOPBACK(&in6);
    } else {
      const auto& in = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
      peer.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
      std::memcpy(peer.address.data() + 12, &in.s_addr, 4);
      peer.loopback = peer.address[12] == 127;
    }
  }
  return fd;
}

IoResult read_some(int fd, MutableBytes out) noexcept {
  while (true) {
    const ssize_t n = recv(fd, out.data(), out.size(), 0);
    if (n > 0) return {Io::some, static_cast<std::size_t>(n)};
    if (n == 0) return {Io::ended};
    if (errno == EINTR) continue;
    return {errno == EAGAIN || errno == EWOULDBLOCK ? Io::blocked : Io::failed};
  }
}

IoResult write_some(int fd, std::span<const Bytes> pieces) noexcept {
  iovec vectors[64];
  const std::size_t count = std::min<std::size_t>(pieces.size(), 64);
  for (std::size_t i = 0; i < count; ++i)
    vectors[i] = {const_cast<std::uint8_t*>(pieces[i].data()), pieces[i].size()};
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = count;
  while (true) {
    const ssize_t n = count == 1 ? send(fd, vectors[0].iov_base, vectors[0].iov_len, MSG_NOSIGNAL)
                                 : sendmsg(fd, &message, MSG_NOSIGNAL);
    if (n >= 0) return {Io::some, static_cast<std::size_t>(n)};
    if (errno == EINTR) continue;
    return {errno == EAGAIN || errno == EWOULDBLOCK ? Io::blocked : Io::failed};
  }
}

}  // namespace ts2021::app

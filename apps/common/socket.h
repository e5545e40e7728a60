// SPDX-License-Identifier: BSD-3-Clause
// Non-blocking stream sockets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts2021/base/bytes.h"

namespace ts2021::app {

// Owns a file descriptor.
class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// "127.0.0.1:8080", "[::1]:0", ":8080" (all addresses) or "host:port".
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  [[nodiscard]] std::string text() const;  // with brackets around an IPv6 address
};
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);

// Throw std::system_error, or std::runtime_error where a name has no address.
[[nodiscard]] Fd listen_on(const Endpoint& endpoint);
// A Unix socket that only our own user may open; takes the place of one on which nobody listens any more.
[[nodiscard]] Fd listen_on_path(const std::string& path);

// One of a name's addresses.
struct Address {
  std::array<std::uint8_t, 128> storage{};  // a sockaddr
  unsigned size = 0;
  std::string text;  // "address:port"
};
[[nodiscard]] std::vector<Address> look_up(const Endpoint& endpoint);   // never empty
[[nodiscard]] Fd connect_to(const Address& address, int timeout_ms);    // non-blocking once connected
[[nodiscard]] Fd connect_to(const Endpoint& endpoint, int timeout_ms);  // the first address that answers
[[nodiscard]] Endpoint local_endpoint(const Fd& socket);
[[nodiscard]] bool is_loopback(const Fd& socket);  // its own address, or a Unix socket

struct Peer {
  std::string text;                        // "address:port", for the log; of a Unix socket empty
  std::array<std::uint8_t, 16> address{};  // network order, IPv4 as ::ffff:a.b.c.d
  bool loopback = false;
};
// Invalid when nothing waits (or for good, when errno is not EAGAIN).
[[nodiscard]] Fd accept_from(const Fd& listener, Peer& peer);

enum class Io { some, blocked, ended, failed };
struct IoResult {
  Io what;
  std::size_t count = 0;
};
[[nodiscard]] IoResult read_some(int fd, MutableBytes out) noexcept;
[[nodiscard]] IoResult write_some(int fd, std::span<const Bytes> pieces) noexcept;  // at most 64 pieces

}  // namespace ts2021::app

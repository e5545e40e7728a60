// SPDX-License-Identifier: BSD-3-Clause
// What the library leaves to its caller, in its simplest form: randomness, clocks, and the way of bytes from
// a connection to a socket, or to another connection.
#pragma once

#include <netdb.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/entropy.h"
#include "ts2021/base/time.h"

namespace example {

class Random final : public ts2021::Entropy {
 public:
  void fill(ts2021::MutableBytes out) noexcept override {
    for (std::size_t done = 0; done < out.size();) {
      const ssize_t n = getrandom(out.data() + done, out.size() - done, 0);
      if (n > 0)
        done += static_cast<std::size_t>(n);
      else if (errno != EINTR)
        std::abort();  // weak keys are worse than none
    }
  }
};

inline ts2021::Now now() {
  using namespace std::chrono;
  return {ts2021::Instant(duration_cast<nanoseconds>(steady_clock::now().time_since_epoch())),
          time_point_cast<milliseconds>(system_clock::now())};
}

// In memory: carries what `from` has to send to `to`. True when anything moved.
template <class From, class To>
bool carry(From& from, To& to, ts2021::Now at) {
  std::array<ts2021::Bytes, 16> pieces;
  const std::size_t count = from.output(pieces, at);
  std::vector<std::uint8_t> wire;
  for (std::size_t i = 0; i < count; ++i) wire.insert(wire.end(), pieces[i].begin(), pieces[i].end());
  from.output_sent(wire.size(), at);
  if (!wire.empty()) (void)to.receive(wire, at);
  return !wire.empty();
}

enum class Sent { nothing, some, full };  // full: the socket takes no more now

// Sends what the connection has to send. MSG_DONTWAIT among the flags: without waiting for the socket.
template <class Connection>
Sent send_output(int socket, Connection& connection, int flags = 0) {
  std::array<ts2021::Bytes, 16> pieces;
  std::array<iovec, 16> parts;
  const std::size_t count = connection.output(pieces, now());
  if (count == 0) return Sent::nothing;
  for (std::size_t i = 0; i < count; ++i)
    parts[i] = {const_cast<std::uint8_t*>(pieces[i].data()), pieces[i].size()};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  const ssize_t n = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Sent::full;
  if (n < 0)
    connection.output_failed(now());
  else
    connection.output_sent(static_cast<std::size_t>(n), now());
  return Sent::some;
}

// Gives the connection what has come. For sockets that poll(2) says are readable.
template <class Connection>
void receive_input(int socket, Connection& connection) {
  std::array<std::uint8_t, 16384> bytes;  // decrypted in place: nothing to keep
  const ssize_t n = recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (n > 0)
    (void)connection.receive(ts2021::MutableBytes(bytes).first(static_cast<std::size_t>(n)), now());
  else if (n == 0 || (errno != EAGAIN && errno != EINTR))
    connection.receive_end(now());
}

// A connected socket, or -1.
inline int connect_to(const std::string& host, const std::string& port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
  int connected = -1;
  for (const addrinfo* at = found; at && connected < 0; at = at->ai_next) {
    const int tried = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (tried >= 0 && connect(tried, at->ai_addr, at->ai_addrlen) == 0)
      connected = tried;
    else if (tried >= 0)
      close(tried);
  }
  freeaddrinfo(found);
  return connected;
}

// Text of a peer, fit for a terminal.
inline std::string printable(std::string text) {
  for (char& c : text)
    if (c < 0x20 || c > 0x7e) c = '?';
  return text.substr(0, 200);
}

}  // namespace example

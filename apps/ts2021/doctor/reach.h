// SPDX-License-Identifier: BSD-3-Clause
// The first hops: the host's addresses, the ports that clients try, TLS.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ts2021/doctor/record.h"
#include "ts2021/net/dial.h"

namespace ts2021::app {

// Where the official client goes for /ts2021 (wire.md §3.6): both ports of one host, plain HTTP first.
struct ClientPorts {
  std::uint16_t plain = 80;
  std::optional<std::uint16_t> tls;  // none: a private address with an http URL
};
[[nodiscard]] ClientPorts client_ports(const ControlUrl& url);

class Reach {
 public:
  Reach(ControlUrl url, DialOptions options, const ClientPorts& ports);

  [[nodiscard]] Record look_up();
  [[nodiscard]] bool has(Way way) const noexcept;  // clients know a port for it
  [[nodiscard]] Record knock(Way way);             // plain or tls
  [[nodiscard]] Record shake_hands();              // TLS, after knock(tls)

  // The way of the URL: the one that must work. The other ones are of help only.
  [[nodiscard]] Way own_way() const noexcept { return url_.tls ? Way::tls : Way::plain; }
  [[nodiscard]] bool answers(Way way) const noexcept { return answering_.count(socket_way(way)) != 0; }
  // The steps of this way have not failed so far, at least not for those who take any certificate.
  [[nodiscard]] bool open(Way way) const noexcept;
  // Throws std::system_error, DialError. No certificate is refused here: shake_hands() has judged it.
  [[nodiscard]] ByteStream dial(Way way, std::vector<std::string> alpn = {}) const;
  [[nodiscard]] const ControlUrl& url() const noexcept { return url_; }
  [[nodiscard]] std::chrono::milliseconds timeout() const noexcept { return options_.timeout; }
  // Whether the port of a plain way takes TLS.
  [[nodiscard]] bool speaks_tls(Way way) const;
  // For Host headers on this way: always with the port, as clients send it.
  [[nodiscard]] std::string host(Way way) const;

 private:
  [[nodiscard]] Way socket_way(Way way) const noexcept { return way == Way::websocket ? own_way() : way; }
  [[nodiscard]] Endpoint endpoint(Way way) const;
  [[nodiscard]] Verdict failure(Way way) const noexcept {
    return way == own_way() ? Verdict::failed : Verdict::warning;
  }

  ControlUrl url_;
  DialOptions options_;
  ClientPorts ports_;
  std::map<Way, Address> answering_;  // of each port that does
  bool tls_works_ = false;
};

}  // namespace ts2021::app

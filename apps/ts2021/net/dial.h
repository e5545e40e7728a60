// SPDX-License-Identifier: BSD-3-Clause
// The way from a URL to a stream of bytes, in steps that can be taken and timed one by one.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/socket.h"
#include "common/tls_stream.h"
#include "ts2021/net/url.h"

namespace ts2021::app {

struct DialOptions {
  std::chrono::milliseconds timeout{10'000};  // of each step
  std::string ca_file;                        // PEM, beside the system's; empty: only the system's
  bool insecure = false;  // takes any certificate; whether it is good is known all the same
  std::vector<std::string> alpn{"http/1.1"};  // none: no ALPN
};

enum class DialStep { look_up, connect, tls };
[[nodiscard]] const char* name(DialStep step) noexcept;

class DialError : public std::runtime_error {
 public:
  DialError(DialStep step, const std::string& text) : std::runtime_error(text), step_(step) {}
  [[nodiscard]] DialStep step() const noexcept { return step_; }

 private:
  DialStep step_;
};

// A connected socket, with TLS around it or without.
class ByteStream {
 public:
  explicit ByteStream(Fd socket) : socket_(std::move(socket)) {}
  ByteStream(Fd socket, TlsStream tls) : socket_(std::move(socket)), tls_(std::move(tls)) {}

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] IoResult read(MutableBytes out) noexcept;  // room for 16 KiB
  // After Io::blocked the next call has to begin with the same bytes.
  [[nodiscard]] IoResult write(std::span<const Bytes> pieces) noexcept;
  [[nodiscard]] TlsStream* tls() noexcept { return tls_ ? &*tls_ : nullptr; }

 private:
  Fd socket_;
  std::optional<TlsStream> tls_;
};

// How long the steps took, and where they led.
struct DialReport {
  std::string address;
  std::chrono::nanoseconds look_up{}, connect{}, tls{};
};

// All three throw DialError.
[[nodiscard]] Fd connect_first(const Endpoint& endpoint, const DialOptions& options, DialReport& report);
[[nodiscard]] ByteStream start_tls(Fd socket, const std::string& server, const DialOptions& options);
[[nodiscard]] ByteStream dial(const ControlUrl& url, const DialOptions& options,
                              DialReport* report = nullptr);

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// A connection on which anything may be said, and the reading of what an HTTP/1.1 server says to that.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/printable.h"
#include "ts2021/base/time.h"
#include "ts2021/net/dial.h"

namespace ts2021::app::conformance {

// How long to wait for what must come, and for what must not.
struct Patience {
  std::chrono::milliseconds answer{10'000};
  std::chrono::milliseconds silence{2'000};
};

// Bytes that passed, over all connections.
struct Traffic {
  std::uint64_t sent = 0, received = 0;
};

class RawConnection {
 public:
  // At most this much is kept of what a server says at a time; more ends the reading.
  static constexpr std::size_t max_input = 4 << 20;

  // `traffic` must outlive the connection.
  RawConnection(ByteStream stream, const Patience& patience, Traffic& traffic);

  // False: the server takes no more.
  bool send(Bytes bytes);
  bool send(std::string_view text) { return send(as_bytes(text)); }
  void end_sending();

  // What came and was not taken yet.
  [[nodiscard]] Bytes input() const noexcept { return input_; }
  [[nodiscard]] std::vector<std::uint8_t> take(std::size_t count);
  // Reads until the answer is there. False: the end, or nothing new for so long.
  bool read_until(const std::function<bool(Bytes)>& enough, std::chrono::milliseconds patience);
  bool read_at_least(std::size_t count) {
    return read_until([count](Bytes in) { return in.size() >= count; }, patience_.answer);
  }
  // Reads, and forgets, until the server closes. False when it did not in time.
  bool read_to_end(std::chrono::milliseconds patience);
  bool read_to_end() { return read_to_end(patience_.silence); }

  [[nodiscard]] const Patience& patience() const noexcept { return patience_; }
  [[nodiscard]] bool ended() const noexcept { return end_ != End::open; }
  // "closed", "reset" or "left open", for evidence.
  [[nodiscard]] std::string state() const;

 private:
  enum class End : std::uint8_t { open, closed, reset };
  // Reads once; false when nothing came in time, or the end did.
  bool read_some(Instant until);

  ByteStream stream_;
  Patience patience_;
  Traffic& traffic_;
  End end_ = End::open;
  std::vector<std::uint8_t> input_, scratch_;
};

struct HttpAnswer {
  int status = 0;                                            // 0: there was none
  std::vector<std::pair<std::string, std::string>> headers;  // lower-case names
  std::string body;
  bool whole = false, unreadable = false;

  [[nodiscard]] std::string header(std::string_view name) const;  // the first; empty: none
  // "status 400 \"missing next protocol\"", or what there was instead.
  [[nodiscard]] std::string told() const;
  [[nodiscard]] bool refused() const noexcept { return status >= 400 && status < 500; }
};

// What stands behind a 101 stays in the connection.
[[nodiscard]] HttpAnswer read_answer(RawConnection& connection);

}  // namespace ts2021::app::conformance

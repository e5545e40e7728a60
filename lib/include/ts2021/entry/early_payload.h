// SPDX-License-Identifier: BSD-3-Clause
// The early payload: magic, length and JSON before HTTP/2, server to client only (EAR rules of lib/WIRE.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"

namespace ts2021::entry {

inline constexpr std::array<std::uint8_t, 5> early_payload_magic{0xff, 0xff, 0xff, 'T', 'S'};
inline constexpr std::size_t early_payload_header_size = 9;
inline constexpr std::size_t max_early_payload_sent = 1024;      // the Rust client takes no more
inline constexpr std::size_t max_early_payload_read = 10 << 20;  // what the Go client takes

// Magic and length for `json_size` bytes. Precondition: 0 < json_size ≤ max_early_payload_sent.
[[nodiscard]] std::array<std::uint8_t, early_payload_header_size> early_payload_header(
    std::size_t json_size) noexcept;

// Client side: takes the front of the plaintext stream until it is clear what it is. The bytes may come in
// any cut. The read limit of a client of ours may be lower than what Go takes.
class EarlyPayloadReader {
 public:
  explicit EarlyPayloadReader(std::size_t max_size = max_early_payload_sent * 64) noexcept
      : max_size_(max_size) {}
  // Takes bytes from `in` and returns how many. Error bad_early_payload: length 0 or above the limit.
  [[nodiscard]] Result<std::size_t> feed(Bytes in);
  // True once all is read, or once it is clear that there is none.
  [[nodiscard]] bool done() const noexcept { return done_; }
  [[nodiscard]] bool present() const noexcept { return present_; }
  // After done(): the JSON if present, else the 0 to 4 bytes that looked like magic and belong to HTTP/2, in
  // front of what feed() left.
  [[nodiscard]] Bytes bytes() const noexcept { return buffer_; }

 private:
  std::size_t max_size_, need_ = 0;
  bool done_ = false, present_ = false, length_known_ = false;
  std::optional<Error> error_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace ts2021::entry

// SPDX-License-Identifier: BSD-3-Clause
// One direction's record key and counter. The two directions are two types: they cannot be swapped.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "ts2021/base/secret.h"

namespace ts2021::noise {

// Move-only and wiped. A moved-from or default-made key is spent: whatever is built on it answers misuse.
template <class Tag>
class DirectionKey {
 public:
  // The last counter is never used (REC-4); a key that has come to it seals and opens nothing any more.
  static constexpr std::uint64_t last_counter = std::numeric_limits<std::uint64_t>::max();

  DirectionKey() noexcept = default;
  // For captures and tests; a handshake makes the keys of a connection. `counter` is that of the next record.
  [[nodiscard]] static DirectionKey from_bytes(std::span<const std::uint8_t, 32> key,
                                               std::uint64_t counter = 0) noexcept {
    DirectionKey made;
    made.key_ = Secret<32>(key);
    made.counter_ = counter;
    made.spent_ = false;
    return made;
  }

  DirectionKey(DirectionKey&& other) noexcept
      : key_(std::move(other.key_)), counter_(other.counter_), spent_(std::exchange(other.spent_, true)) {}
  DirectionKey& operator=(DirectionKey&& other) noexcept {
    if (this != &other) {
      key_ = std::move(other.key_);
      counter_ = other.counter_;
      spent_ = std::exchange(other.spent_, true);
    }
    return *this;
  }
  ~DirectionKey() = default;

  [[nodiscard]] bool is_spent() const noexcept { return spent_; }
  [[nodiscard]] std::uint64_t counter() const noexcept { return counter_; }
  // For the record layer; nothing else should need it.
  [[nodiscard]] std::span<const std::uint8_t, 32> reveal_bytes() const noexcept { return key_.bytes(); }
  void advance() noexcept { ++counter_; }
  void clear() noexcept {
    key_.clear();
    spent_ = true;
  }

 private:
  Secret<32> key_;
  std::uint64_t counter_ = 0;
  bool spent_ = true;
};

using SendKey = DirectionKey<struct SendTag>;
using ReceiveKey = DirectionKey<struct ReceiveTag>;

}  // namespace ts2021::noise

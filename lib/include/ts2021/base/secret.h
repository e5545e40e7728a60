// SPDX-License-Identifier: BSD-3-Clause
// Bytes that must not outlive their use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ts2021/base/bytes.h"

namespace ts2021 {

// Overwrites with zeros in a way that the compiler cannot drop.
void wipe(MutableBytes bytes) noexcept;

// N secret bytes: move-only, wiped when moved from and when destroyed, without any way to print them.
template <std::size_t N>
class Secret {
 public:
  Secret() noexcept = default;  // all zero
  explicit Secret(std::span<const std::uint8_t, N> from) noexcept {
    for (std::size_t i = 0; i < N; ++i) bytes_[i] = from[i];
  }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.clear();
    }
    return *this;
  }
  ~Secret() { clear(); }

  [[nodiscard]] std::span<const std::uint8_t, N> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::span<std::uint8_t, N> bytes() noexcept { return bytes_; }
  void clear() noexcept { wipe(bytes_); }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

}  // namespace ts2021

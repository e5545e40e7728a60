// SPDX-License-Identifier: BSD-3-Clause
// One message on its way out: immutable pieces, and how far they have been handed on.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/shared_bytes.h"

namespace ts2021::h2 {

class Outgoing {
 public:
  // Takes a message; precondition: left() is 0. Allocates only when it has more pieces than any before it.
  void set(std::span<const SharedBytes> pieces);
  // The stream ends behind the message.
  void finish() noexcept { finishing_ = true; }

  [[nodiscard]] std::size_t left() const noexcept { return left_; }  // bytes
  [[nodiscard]] bool finishing() const noexcept { return finishing_; }

  // How many views the next n bytes need; precondition of all three: n <= left().
  [[nodiscard]] std::size_t views(std::size_t n) const noexcept;
  // Fills the views; precondition: there are views(n) of them.
  void gather(std::size_t n, std::span<Bytes> views) const noexcept;
  // Drops the next n bytes, and all pieces with the last of them.
  void advance(std::size_t n) noexcept;

 private:
  std::vector<SharedBytes> pieces_;  // none is null or empty
  std::size_t piece_ = 0, offset_ = 0, left_ = 0;
  bool finishing_ = false;
};

}  // namespace ts2021::h2

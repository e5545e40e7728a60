// SPDX-License-Identifier: BSD-3-Clause
// The system's clocks and randomness, for the library that has none.
#pragma once

#include "ts2021/base/entropy.h"
#include "ts2021/base/time.h"

namespace ts2021::app {

[[nodiscard]] Now now() noexcept;

// getrandom(2). Ends the process if the kernel has no randomness to give.
class SystemEntropy final : public Entropy {
 public:
  void fill(MutableBytes out) noexcept override;
};

}  // namespace ts2021::app

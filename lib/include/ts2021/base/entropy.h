// SPDX-License-Identifier: BSD-3-Clause
// Randomness as an argument.
#pragma once

#include "ts2021/base/bytes.h"

namespace ts2021 {

// Fills with unpredictable bytes; must not fail (end the process rather than return weak bytes).
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(MutableBytes out) noexcept = 0;
};

}  // namespace ts2021

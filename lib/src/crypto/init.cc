// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/init.h"

#include <sodium.h>
#include <cstdlib>

namespace ts2021::crypto {

void init() noexcept {
  static const bool ready = sodium_init() >= 0;
  if (!ready) std::abort();  // the system has no randomness at all
}

}  // namespace ts2021::crypto

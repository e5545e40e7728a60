// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/same_bytes.h"

#include <sodium.h>

namespace ts2021::crypto {

bool same_bytes(Bytes a, Bytes b) noexcept {
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace ts2021::crypto

// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/x25519.h"

#include <sodium.h>

#include "crypto/init.h"

namespace ts2021::crypto {

bool x25519(Out32 out, View32 scalar, View32 point) noexcept {
  init();
  if (crypto_scalarmult_curve25519(out.data(), scalar.data(), point.data()) == 0) return true;
  sodium_memzero(out.data(), out.size());
  return false;
}

void x25519_base(Out32 out, View32 scalar) noexcept {
  init();
  (void)crypto_scalarmult_curve25519_base(out.data(), scalar.data());  // cannot fail
}

}  // namespace ts2021::crypto

// SPDX-License-Identifier: BSD-3-Clause
// x25519.h on AWS-LC, whose assembly is 1.25 times (any point) and 4 times (base point) faster.
#include <openssl/curve25519.h>

#include "crypto/x25519.h"

namespace ts2021::crypto {

bool x25519(Out32 out, View32 scalar, View32 point) noexcept {
  return X25519(out.data(), scalar.data(), point.data()) == 1;
}

void x25519_base(Out32 out, View32 scalar) noexcept { X25519_public_from_private(out.data(), scalar.data()); }

}  // namespace ts2021::crypto

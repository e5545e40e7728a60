// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/base/secret.h"

#include <cstring>

namespace ts2021 {

void wipe(MutableBytes bytes) noexcept {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
}

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// What holds for every message: what decodes can be written for any client, and what was written decodes and
// is written the same again.
#pragma once

#include <cstdlib>
#include <string>

#include "ts2021/msg/codec.h"

namespace ts2021::fuzz {

template <class T>
void check_stable(Bytes json) {
  const auto message = decode_copy<T>(json);
  if (!message) return;
  for (const unsigned number : {26u, 60u, 100u, 148u}) {
    const auto viewer = static_cast<Capability>(number);
    const std::string once = encoded(*message, viewer);
    const auto again = decode_copy<T>(as_bytes(once));
    if (!again || encoded(*again, viewer) != once) std::abort();
  }
}

}  // namespace ts2021::fuzz

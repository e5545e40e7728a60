// SPDX-License-Identifier: BSD-3-Clause
// Comparing secrets.
#pragma once

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

// In a time that depends on the lengths only.
[[nodiscard]] bool same_bytes(Bytes a, Bytes b) noexcept;

}  // namespace ts2021::crypto

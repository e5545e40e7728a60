// SPDX-License-Identifier: BSD-3-Clause
// Readies libsodium: it looks at the processor once and picks its fastest code.
#pragma once

namespace ts2021::crypto {

// Cheap after the first call, from any thread. Everything here that uses libsodium calls it itself.
void init() noexcept;

}  // namespace ts2021::crypto

// SPDX-License-Identifier: BSD-3-Clause
// SHA-1, for the accept header of WebSocket upgrades only: nothing here relies on its strength.
#pragma once

#include <array>
#include <cstdint>

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

[[nodiscard]] std::array<std::uint8_t, 20> sha1(Bytes message) noexcept;

}  // namespace ts2021::crypto

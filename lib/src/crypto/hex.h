// SPDX-License-Identifier: BSD-3-Clause
// Hexadecimal digits in time that does not depend on their values, as private keys want it.
#pragma once

#include <span>
#include <string_view>

#include "ts2021/base/bytes.h"

namespace ts2021::crypto {

// False unless `hex` is exactly two digits, of either case, for each byte of `out`; `out` is garbage then.
[[nodiscard]] bool decode_hex(std::string_view hex, MutableBytes out) noexcept;
// Lower-case digits. Precondition: out.size() == 2 * bytes.size().
void encode_hex(Bytes bytes, std::span<char> out) noexcept;

}  // namespace ts2021::crypto

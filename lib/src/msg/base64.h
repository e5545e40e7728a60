// SPDX-License-Identifier: BSD-3-Clause
// Standard base64 with padding, as Go writes []byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/base/bytes.h"

namespace ts2021 {

void append_base64(Bytes bytes, std::string& out);
// False for anything but canonical base64: whole groups of four, padding only at the end, unused bits zero.
[[nodiscard]] bool parse_base64(std::string_view text, std::vector<std::uint8_t>& out);

}  // namespace ts2021

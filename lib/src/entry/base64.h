// SPDX-License-Identifier: BSD-3-Clause
// Padded standard base64, as the handshake and the WebSocket headers use it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/base/bytes.h"

namespace ts2021::entry {

[[nodiscard]] std::string base64_encode(Bytes bytes);
// Nothing for the URL alphabet, missing or misplaced padding, or any other character. As in the reference,
// the unused bits before the padding are not looked at.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> base64_decode(std::string_view text);

}  // namespace ts2021::entry

// SPDX-License-Identifier: BSD-3-Clause
// Immutable bytes that many connections send: encoded once, counted, never copied on the way to a record.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "ts2021/base/bytes.h"

namespace ts2021 {

using SharedBytes = std::shared_ptr<const std::vector<std::uint8_t>>;
using SharedPieces = std::shared_ptr<const std::vector<SharedBytes>>;

[[nodiscard]] inline SharedBytes share(Bytes bytes) {
  return std::make_shared<const std::vector<std::uint8_t>>(bytes.begin(), bytes.end());
}
[[nodiscard]] inline SharedBytes share(std::string_view text) { return share(as_bytes(text)); }
[[nodiscard]] inline SharedBytes share(std::vector<std::uint8_t> bytes) {
  return std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
}

}  // namespace ts2021

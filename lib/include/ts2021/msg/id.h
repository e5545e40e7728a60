// SPDX-License-Identifier: BSD-3-Clause
// Numbers that messages carry. Declared, not defined, so that coord/id.h may say more about them.
#pragma once

#include <cstdint>

namespace ts2021 {

enum class NodeId : std::uint64_t;   // 1 to 2^53 - 1
enum class UserId : std::uint64_t;   // 1 to 2^53 - 1
enum class LoginId : std::uint64_t;  // 1 to 2^53 - 1

}  // namespace ts2021

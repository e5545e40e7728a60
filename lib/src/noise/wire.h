// SPDX-License-Identifier: BSD-3-Clause
// Layouts of the Noise messages, in bytes. All integers are big-endian.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ts2021::noise::wire {

enum Type : std::uint8_t { initiation = 1, response = 2, error = 3, record = 4 };

// HSK-4, message 1:  version 2 | type 1 | length 2 | ephemeral 32 | machine key 32 + tag 16 | tag 16
namespace message1 {
inline constexpr std::size_t type = 2, length = 3, ephemeral = 5, machine = 37, tag = 85, size = 101;
inline constexpr std::size_t machine_size = tag - machine;
}  // namespace message1

// HSK-5, message 2:  type 1 | length 2 | ephemeral 32 | tag 16. Records and errors have the same header.
namespace message2 {
inline constexpr std::size_t length = 1, ephemeral = 3, tag = 35, size = 51;
}  // namespace message2

inline constexpr std::size_t header_size = 3;

}  // namespace ts2021::noise::wire

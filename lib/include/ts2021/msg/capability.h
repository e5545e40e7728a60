// SPDX-License-Identifier: BSD-3-Clause
// Capability versions: the number by which a client says what it understands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ts2021 {

// Any value may come; one above the newest row means the newest.
enum class Capability : std::uint16_t {
#define TS2021_CAPABILITY(number, name, meaning) name = number,
#include "ts2021/msg/capability.def"
#undef TS2021_CAPABILITY
};

inline constexpr Capability minimum_capability = Capability::v1_20;
inline constexpr Capability newest_capability = Capability::stable_tailnet_id;
// For messages that don't depend on who reads them, and for what we keep ourselves.
inline constexpr Capability any_capability = Capability{0xffff};

// One sentence of capability.def, empty for a number without a row; lives for ever.
[[nodiscard]] std::string_view meaning(Capability capability) noexcept;

// Clients between two neighbouring thresholds of any field or of downlevel.h get the same bytes: they are of
// one class. Caches are keyed by it. Computed at compile time from the field tables.
enum class CapabilityClass : std::uint8_t {};
[[nodiscard]] CapabilityClass capability_class(Capability capability) noexcept;
[[nodiscard]] std::size_t capability_class_count() noexcept;
// The lowest version of a class; encodes like all others of it.
[[nodiscard]] Capability lowest(CapabilityClass of) noexcept;

}  // namespace ts2021

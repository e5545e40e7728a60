// SPDX-License-Identifier: BSD-3-Clause
// Whom a tailnet trusts: the keys that may sign nodes and updates, and what switches the lock off.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"

namespace ts2021::lock {

inline constexpr std::size_t max_keys = 512;
inline constexpr std::size_t max_disablement_values = 32;
inline constexpr std::uint64_t max_votes = 4096;
inline constexpr std::size_t max_meta_size = 512;  // bytes of all names and values of a key

// The public key itself, 32 bytes for Ed25519, the only kind there is. The protocol does not check the size;
// a key of another size verifies nothing.
using KeyId = std::vector<std::uint8_t>;

// The order of text in canonical CBOR: the shorter first.
struct ShorterFirst {
  bool operator()(const std::string& a, const std::string& b) const noexcept {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
};
using Meta = std::map<std::string, std::string, ShorterFirst>;

struct Key {
  KeyId id;
  std::uint64_t votes = 0;
  Meta meta;
  friend bool operator==(const Key&, const Key&) = default;
};

using DisablementValue = std::array<std::uint8_t, 32>;

struct State {
  std::vector<DisablementValue> disablement_values;
  std::vector<Key> keys;  // in the order in which they were added
  std::uint64_t id1 = 0;  // random, from the genesis, for the life of the lock
  std::uint64_t id2 = 0;

  // Null when it is not trusted; valid until the state changes.
  [[nodiscard]] const Key* find(Bytes key_id) const noexcept;
  friend bool operator==(const State&, const State&) = default;
};

// What a tailnet keeps of a secret that switches the lock off (LCK-10). Takes 16 MiB and tens of
// milliseconds. Error out_of_memory.
[[nodiscard]] Result<DisablementValue> disablement_value(Bytes secret) noexcept;

}  // namespace ts2021::lock

// SPDX-License-Identifier: BSD-3-Clause
// AUM, an "authority update message": one signed step of the tailnet lock, in canonical CBOR.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/key/key.h"
#include "ts2021/lock/hash.h"
#include "ts2021/lock/state.h"

namespace ts2021::lock {

// On the wire; never change one. Kinds that came later change nothing (LCK-6).
enum class AUMKind : std::uint8_t { add_key = 1, remove_key = 2, no_op = 3, update_key = 4, checkpoint = 5 };

using SignatureBytes = std::array<std::uint8_t, 64>;  // Ed25519: R, S
using Digest = std::array<std::uint8_t, 32>;

struct AUMSignature {
  std::array<std::uint8_t, 32> key_id{};
  SignatureBytes signature{};
  friend bool operator==(const AUMSignature&, const AUMSignature&) = default;
};

struct AUM {
  AUMKind kind{};
  std::optional<AUMHash> parent;         // none: a genesis
  std::optional<Key> key;                // add_key
  KeyId key_id;                          // remove_key, update_key; empty: absent
  std::optional<State> state;            // checkpoint
  std::optional<std::uint64_t> votes;    // update_key
  Meta meta;                             // update_key; empty: absent
  std::vector<AUMSignature> signatures;  // at most max_signatures

  static constexpr std::size_t max_signatures = 512;  // no more keys can be trusted

  // Reads the one canonical form of a well-formed update: encode() gives the same bytes again. Copies.
  // Errors: bad_cbor (not that form), bad_lock_update (its parts don't fit its kind), limit_exceeded.
  [[nodiscard]] static Result<AUM> decode(Bytes in);
  [[nodiscard]] std::vector<std::uint8_t> encode() const;
  [[nodiscard]] AUMHash hash() const;
  // What its signatures are over: the same without them (LCK-3).
  [[nodiscard]] Digest signing_hash() const;
  void sign(const TailnetLockPrivate& with);

  friend bool operator==(const AUM&, const AUM&) = default;
};

}  // namespace ts2021::lock

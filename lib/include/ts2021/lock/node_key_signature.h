// SPDX-License-Identifier: BSD-3-Clause
// By what a node key is trusted: a signature of a trusted key, or a chain of them that ends in one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/key/key.h"
#include "ts2021/lock/state.h"
#include "ts2021/lock/update.h"

namespace ts2021::lock {

// On the wire; never change one.
enum class SigKind : std::uint8_t {
  direct = 1,      // a trusted key signs a node key
  rotation = 2,    // the wrapping key that `nested` names signs the node's next key
  credential = 3,  // a trusted key lets a wrapping key sign one node; authorizes nothing alone
};

struct NodeKeySignature {
  SigKind kind{};
  std::vector<std::uint8_t> pubkey;     // "np" and the 32 bytes of the node key; empty for credentials
  std::vector<std::uint8_t> key_id;     // of the trusted key; direct and credential
  std::vector<std::uint8_t> signature;  // 64 bytes: Ed25519 over signing_hash()
  std::shared_ptr<const NodeKeySignature> nested;  // rotation: by what the key before was trusted
  std::vector<std::uint8_t> wrapping_pubkey;       // who may sign the rotation around this one

  static constexpr std::size_t max_depth = 16;  // signatures in a chain, the outer one included

  // Reads the one canonical form; encode() gives the same bytes again. Verifies nothing. Copies.
  // Errors: bad_cbor, limit_exceeded (nested too deeply).
  [[nodiscard]] static Result<NodeKeySignature> decode(Bytes in);
  [[nodiscard]] std::vector<std::uint8_t> encode() const;
  [[nodiscard]] Digest signing_hash() const;

  // Whose key is signed. Error bad_lock_signature: not a node key.
  [[nodiscard]] Result<NodePublic> node_key() const noexcept;
  // The trusted key at the end of the chain, not verified; empty: the chain has no end. Valid as long as
  // this.
  [[nodiscard]] Bytes authorizing_key() const noexcept;
  // Who may sign a rotation around this, not verified; empty: nobody.
  [[nodiscard]] Bytes wrapping_key() const noexcept;
  // Whether this, made with `trusted`, authorizes `node` (LCK-8). Error bad_lock_signature.
  [[nodiscard]] Result<void> verify(const NodePublic& node, const Key& trusted) const;
};

// What nodes make of their own lock keys. A node that brings its wrapping key can change its node key later
// without a signer.
[[nodiscard]] NodeKeySignature sign_node(const NodePublic& node, const TailnetLockPublic& wrapping,
                                         const TailnetLockPrivate& trusted);
[[nodiscard]] NodeKeySignature sign_credential(const TailnetLockPublic& wrapping,
                                               const TailnetLockPrivate& trusted);
// Precondition: `wrapping` belongs to the wrapping key of `before`.
[[nodiscard]] NodeKeySignature sign_rotation(const NodePublic& node, NodeKeySignature before,
                                             const TailnetLockPrivate& wrapping);

}  // namespace ts2021::lock

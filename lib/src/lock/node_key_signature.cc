// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/lock/node_key_signature.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "crypto/blake2s.h"
#include "crypto/ed25519.h"
#include "lock/cbor.h"

namespace ts2021::lock {
namespace {

using cbor::Reader;
using cbor::Writer;

// Names of members (LCK-1).
enum : std::uint8_t { kind = 1, pubkey = 2, key_id = 3, signature = 4, nested = 5, wrapping_pubkey = 6 };

constexpr std::string_view node_prefix = "np";

Result<void> read_bytes(Reader& in, std::vector<std::uint8_t>& out) {
  TS_TRY(bytes, in.bytes());
  out.assign(bytes.begin(), bytes.end());
  return {};
}

Result<void> read(Reader& in, NodeKeySignature& out, std::size_t depth) {
  if (depth == 0) return fail(Errc::limit_exceeded, 1240);
  return in.map(6, [&](std::uint64_t member) -> Result<void> {
    switch (member) {
      case kind: {
        TS_TRY(number, in.unsigned_integer());
        out.kind = static_cast<SigKind>(number);  // a number that is cut here comes out otherwise in decode()
        return {};
      }
      case pubkey:
        return read_bytes(in, out.pubkey);
      case key_id:
        return read_bytes(in, out.key_id);
      case signature:
        return read_bytes(in, out.signature);
      case nested: {
        auto inner = std::make_shared<NodeKeySignature>();
        TS_CHECK(read(in, *inner, depth - 1));
        out.nested = std::move(inner);
        return {};
      }
      case wrapping_pubkey:
        return read_bytes(in, out.wrapping_pubkey);
      default:
        return fail(Errc::bad_cbor, 1241);
    }
  });
}

void write(Writer& out, const NodeKeySignature& value, Bytes signed_by) {
  const auto member = [&out](std::uint8_t name, Bytes bytes) {
    if (bytes.empty()) return;
    out.unsigned_integer(name);
    out.bytes(bytes);
  };
  out.map(1u + !value.pubkey.empty() + !value.key_id.empty() + !signed_by.empty() +
          (value.nested != nullptr) + !value.wrapping_pubkey.empty());
  out.unsigned_integer(kind);
  out.unsigned_integer(static_cast<std::uint8_t>(value.kind));
  member(pubkey, value.pubkey);
  member(key_id, value.key_id);
  member(signature, signed_by);
  if (value.nested != nullptr) {
    out.unsigned_integer(nested);
    write(out, *value.nested, value.nested->signature);
  }
  member(wrapping_pubkey, value.wrapping_pubkey);
}

std::vector<std::uint8_t> binary(const NodePublic& node) {
  std::vector<std::uint8_t> out(node_prefix.begin(), node_prefix.end());
  out.insert(out.end(), node.bytes().begin(), node.bytes().end());
  return out;
}

bool signed_by(Bytes open, const Digest& digest, Bytes signature) {
  return open.size() == 32 && signature.size() == 64 &&
         crypto::ed25519_verify(open.first<32>(), digest, signature.first<64>());
}

NodeKeySignature& sign(NodeKeySignature& unsigned_one, const TailnetLockPrivate& key) {
  SignatureBytes made;
  crypto::ed25519_sign(made, unsigned_one.signing_hash(), key.reveal_bytes());
  unsigned_one.signature.assign(made.begin(), made.end());
  return unsigned_one;
}

std::vector<std::uint8_t> copy(const TailnetLockPublic& key) {
  return {key.bytes().begin(), key.bytes().end()};
}

}  // namespace

Result<NodeKeySignature> NodeKeySignature::decode(Bytes bytes) {
  Reader in(bytes);
  NodeKeySignature out;
  TS_CHECK(read(in, out, max_depth));
  if (!std::ranges::equal(out.encode(), bytes)) return fail(Errc::bad_cbor, 1242);  // LCK-1
  return out;
}

std::vector<std::uint8_t> NodeKeySignature::encode() const {
  Writer out;
  write(out, *this, signature);
  return out.take();
}

Digest NodeKeySignature::signing_hash() const {
  Writer text;
  write(text, *this, {});
  Digest out;
  crypto::blake2s(out, {text.take()});  // LCK-3
  return out;
}

Result<NodePublic> NodeKeySignature::node_key() const noexcept {
  if (pubkey.size() != node_prefix.size() + NodePublic::size || !as_text(pubkey).starts_with(node_prefix))
    return fail(Errc::bad_lock_signature, 1243);
  return NodePublic::from_bytes(Bytes(pubkey).last<NodePublic::size>());
}

Bytes NodeKeySignature::authorizing_key() const noexcept {
  const NodeKeySignature* at = this;
  while (at->kind == SigKind::rotation && at->nested != nullptr) at = at->nested.get();
  if (at->kind != SigKind::direct && at->kind != SigKind::credential) return {};
  return at->key_id;
}

Bytes NodeKeySignature::wrapping_key() const noexcept {
  const NodeKeySignature* at = this;
  while (at->wrapping_pubkey.empty() && at->kind == SigKind::rotation && at->nested != nullptr)
    at = at->nested.get();
  return at->wrapping_pubkey;
}

// LCK-8, from the outside in.
Result<void> NodeKeySignature::verify(const NodePublic& node, const Key& trusted) const {
  if (kind == SigKind::credential) return fail(Errc::bad_lock_signature, 1244);
  for (const NodeKeySignature* at = this;; at = at->nested.get()) {
    if (at->kind != SigKind::credential) {  // which names no node
      TS_TRY(named, at->node_key());
      if (at == this && named != node) return fail(Errc::bad_lock_signature, 1245);
    }
    switch (at->kind) {
      case SigKind::rotation:
        if (at->nested == nullptr) return fail(Errc::bad_lock_signature, 1246);
        if (!signed_by(at->nested->wrapping_key(), at->signing_hash(), at->signature))
          return fail(Errc::bad_lock_signature, 1247);
        continue;
      case SigKind::direct:
      case SigKind::credential:
        if (at->nested != nullptr) return fail(Errc::bad_lock_signature, 1248);
        if (!std::ranges::equal(at->key_id, trusted.id) ||
            !signed_by(trusted.id, at->signing_hash(), at->signature))
          return fail(Errc::bad_lock_signature, 1249);
        return {};
      default:
        return fail(Errc::bad_lock_signature, 1250);
    }
  }
}

NodeKeySignature sign_node(const NodePublic& node, const TailnetLockPublic& wrapping,
                           const TailnetLockPrivate& trusted) {
  NodeKeySignature made{SigKind::direct, binary(node), copy(trusted.public_key()), {}, {}, copy(wrapping)};
  return sign(made, trusted);
}

NodeKeySignature sign_credential(const TailnetLockPublic& wrapping, const TailnetLockPrivate& trusted) {
  NodeKeySignature made{SigKind::credential, {}, copy(trusted.public_key()), {}, {}, copy(wrapping)};
  return sign(made, trusted);
}

NodeKeySignature sign_rotation(const NodePublic& node, NodeKeySignature before,
                               const TailnetLockPrivate& wrapping) {
  NodeKeySignature made{SigKind::rotation, binary(node), {}, {}, {}, {}};
  made.nested = std::make_shared<const NodeKeySignature>(std::move(before));
  return sign(made, wrapping);
}

}  // namespace ts2021::lock

// SPDX-License-Identifier: BSD-3-Clause
// Signers and updates for tests of the tailnet lock.
#pragma once

#include <vector>

#include "support/support.h"
#include "ts2021/key/key.h"
#include "ts2021/lock/authority.h"

namespace ts2021::test {

inline TailnetLockPrivate lock_secret(std::uint64_t seed) {
  SeededEntropy entropy(seed);
  return TailnetLockPrivate::generate(entropy);
}
inline lock::Key trusted(const TailnetLockPrivate& secret, std::uint64_t votes = 1) {
  const TailnetLockPublic open = secret.public_key();
  return {{open.bytes().begin(), open.bytes().end()}, votes, {}};
}
inline lock::State state_of(std::vector<lock::Key> keys) {
  lock::State out;
  out.disablement_values.emplace_back().fill(7);
  out.keys = std::move(keys);
  out.id1 = 1;
  return out;
}
inline lock::AUM genesis_of(std::vector<lock::Key> keys, const TailnetLockPrivate& by) {
  lock::AUM out;
  out.kind = lock::AUMKind::checkpoint;
  out.state = state_of(std::move(keys));
  out.sign(by);
  return out;
}
// An update that changes nothing; `tag` makes it differ from others.
inline lock::AUM no_op(const lock::AUMHash& parent, const TailnetLockPrivate& by, std::uint64_t tag = 0) {
  lock::AUM out;
  out.kind = lock::AUMKind::no_op;
  out.parent = parent;
  if (tag != 0) out.votes = tag;
  out.sign(by);
  return out;
}
inline Result<void> apply(lock::Authority& authority, const lock::AUM& update) {
  const Buffer encoded = update.encode();
  return authority.apply(std::vector<Bytes>{encoded});
}
inline NodePublic node(std::uint8_t fill) {
  std::array<std::uint8_t, 32> raw{};
  raw.fill(fill);
  return NodePublic::from_bytes(raw);
}

}  // namespace ts2021::test

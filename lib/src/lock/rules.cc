// SPDX-License-Identifier: BSD-3-Clause
#include "lock/rules.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "crypto/ed25519.h"

namespace ts2021::lock {
namespace {

Result<void> check_key(const Key& key) {
  if (key.votes == 0 || key.votes > max_votes) return fail(Errc::bad_lock_update, 1210);
  std::size_t size = 0;
  for (const auto& [name, value] : key.meta) size += name.size() + value.size();
  if (size > max_meta_size) return fail(Errc::bad_lock_update, 1211);
  return {};
}

template <class List, class Name>
bool has_twice(const List& list, Name name) {
  std::vector<std::vector<std::uint8_t>> names;
  names.reserve(list.size());
  for (const auto& item : list) names.emplace_back(name(item).begin(), name(item).end());
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

Result<void> check_state(const State& state) {
  if (state.disablement_values.empty() || state.keys.empty()) return fail(Errc::bad_lock_update, 1212);
  if (has_twice(
          state.disablement_values, [](const DisablementValue& value) -> auto& { return value; }))
    return fail(Errc::bad_lock_update, 1213);
  for (const Key& key : state.keys) TS_CHECK(check_key(key));
  if (has_twice(
          state.keys, [](const Key& key) -> auto& { return key.id; }))
    return fail(Errc::bad_lock_update, 1214);
  return {};
}

}  // namespace

Result<void> check(const AUM& update) {
  // LCK-7: who copies a signature would get another hash for the same update, and a branch of his own.
  if (has_twice(
          update.signatures, [](const AUMSignature& s) -> auto& { return s.key_id; }))
    return fail(Errc::bad_lock_update, 1215);
  if (update.key) TS_CHECK(check_key(*update.key));
  if (update.state) TS_CHECK(check_state(*update.state));

  const bool key = update.key.has_value(), key_id = !update.key_id.empty(), state = update.state.has_value();
  const bool change = update.votes.has_value() || !update.meta.empty();
  switch (update.kind) {  // LCK-5
    case AUMKind::add_key:
      if (!key || key_id || state || change) return fail(Errc::bad_lock_update, 1216);
      break;
    case AUMKind::remove_key:
      if (key || !key_id || state || change) return fail(Errc::bad_lock_update, 1217);
      break;
    case AUMKind::update_key:
      if (key || !key_id || state || !change) return fail(Errc::bad_lock_update, 1218);
      break;
    case AUMKind::checkpoint:
      if (key || key_id || !state || change) return fail(Errc::bad_lock_update, 1219);
      break;
    case AUMKind::no_op:
    default:
      break;
  }
  return {};
}

Result<void> verify(const AUM& update, const State& state) {
  if (update.signatures.empty()) return fail(Errc::bad_lock_signature, 1220);
  const Digest digest = update.signing_hash();
  for (const AUMSignature& signature : update.signatures) {  // LCK-7
    if (state.find(signature.key_id) == nullptr) return fail(Errc::untrusted_lock_key, 1221);
    if (!crypto::ed25519_verify(signature.key_id, digest, signature.signature))
      return fail(Errc::bad_lock_signature, 1222);
  }
  if (update.kind == AUMKind::remove_key && state.keys.size() == 1 && state.find(update.key_id) != nullptr)
    return fail(Errc::bad_lock_update, 1223);  // nobody would be left to sign
  return {};
}

Result<void> apply(const AUM& update, State& state) {
  const auto named = [&state](const KeyId& id) {
    return std::ranges::find_if(state.keys, [&id](const Key& key) { return key.id == id; });
  };
  switch (update.kind) {  // LCK-6
    case AUMKind::add_key:
      if (state.keys.size() >= max_keys) return fail(Errc::limit_exceeded, 1224);
      if (named(update.key->id) != state.keys.end()) return fail(Errc::bad_lock_update, 1225);
      state.keys.push_back(*update.key);
      break;
    case AUMKind::remove_key: {
      const auto key = named(update.key_id);
      if (key == state.keys.end()) return fail(Errc::untrusted_lock_key, 1226);
      state.keys.erase(key);
      break;
    }
    case AUMKind::update_key: {
      const auto key = named(update.key_id);
      if (key == state.keys.end()) return fail(Errc::untrusted_lock_key, 1227);
      Key changed = *key;
      if (update.votes) changed.votes = *update.votes;
      if (!update.meta.empty()) changed.meta = update.meta;
      TS_CHECK(check_key(changed));
      *key = std::move(changed);
      break;
    }
    case AUMKind::checkpoint:
      if (update.state->id1 != state.id1 || update.state->id2 != state.id2)
        return fail(Errc::bad_lock_update, 1228);
      state = *update.state;
      break;
    case AUMKind::no_op:
    default:
      break;
  }
  return {};
}

std::uint64_t weight(const AUM& update, const State& state) {
  std::uint64_t votes = 0;
  for (const AUMSignature& signature : update.signatures)
    if (const Key* key = state.find(signature.key_id)) votes += key->votes;
  return votes;
}

}  // namespace ts2021::lock

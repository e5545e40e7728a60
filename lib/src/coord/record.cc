// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/coord/record.h"

#include "crypto/blake2s.h"
#include "ts2021/base/bytes.h"

namespace ts2021 {

static_assert(std::variant_size_v<Record> == 5);

RecordKind kind(const Record& record) noexcept {
  return static_cast<RecordKind>(record.index() + 1);  // in the order of RecordKind
}

std::uint64_t id(const Record& record) noexcept {
  if (const auto* node = std::get_if<NodeRecord>(&record)) return static_cast<std::uint64_t>(node->id);
  if (const auto* user = std::get_if<UserRecord>(&record)) return static_cast<std::uint64_t>(user->id);
  if (const auto* key = std::get_if<AuthKeyRecord>(&record)) return key->id;
  if (const auto* setting = std::get_if<SettingRecord>(&record))
    return static_cast<std::uint64_t>(setting->id);
  return LockRecord::only_id;
}

AuthKeyDigest auth_key_digest(std::string_view secret) noexcept {
  AuthKeyDigest digest;
  crypto::blake2s(digest, {as_bytes(secret)});
  return digest;
}

}  // namespace ts2021

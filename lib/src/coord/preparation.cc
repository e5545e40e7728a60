// SPDX-License-Identifier: BSD-3-Clause
#include "coord/preparation.h"

#include <map>

namespace ts2021::coord {
namespace {

template <class T>
Write write(RecordKind kind, std::uint64_t number, Revision expected, T record) {
  return {kind, number, expected, std::make_shared<const Record>(std::move(record))};
}

std::uint64_t next_id(const Tailnet& tailnet) {
  const auto* counters = tailnet.setting(SettingId::counters);
  return counters ? counters->record->next_id : 1;
}

Write count_up(const Tailnet& tailnet, std::uint64_t next) {
  const auto* counters = tailnet.setting(SettingId::counters);
  return write(RecordKind::setting, static_cast<std::uint64_t>(SettingId::counters),
               counters ? counters->revision : Revision{}, SettingRecord{SettingId::counters, next});
}

std::string default_owner(const CoordinatorConfig& config) {
  return config.owner.empty() ? "owner@" + config.base_domain : config.owner;
}

}  // namespace

Preparation prepare(const Tailnet& tailnet, const CoordinatorConfig& config, WallTime now) {
  Preparation out;
  std::uint64_t next = next_id(tailnet);
  const std::string login = default_owner(config);
  UserId owner{};
  if (const UserRecord* user = tailnet.user(login)) {
    owner = user->id;
  } else {
    UserRecord record;
    record.id = owner = UserId{next++};
    record.login_name = login;
    record.display_name = login;
    record.provider = "preset";
    record.created = now;
    out.writes.push_back(
        write(RecordKind::user, static_cast<std::uint64_t>(owner), Revision{}, std::move(record)));
  }
  std::map<AuthKeyDigest, bool> wanted;  // → ephemeral
  for (const auto& key : config.auth_keys)
    if (!key.secret.empty()) wanted.emplace(auth_key_digest(key.secret), key.ephemeral);
  for (const auto& [number, stored] : tailnet.auth_keys())
    if (stored.record->preset && !wanted.contains(stored.record->digest))
      out.writes.push_back({RecordKind::auth_key, number, stored.revision, nullptr});
  for (const auto& [digest, ephemeral] : wanted) {
    const auto* stored = tailnet.auth_key(digest);
    if (stored && (!stored->record->preset ||
                   (stored->record->ephemeral == ephemeral && stored->record->user == owner)))
      continue;
    AuthKeyRecord record;
    record.id = stored ? stored->record->id : next++;
    record.digest = digest;
    record.user = owner;
    record.reusable = record.preset = true;
    record.ephemeral = ephemeral;
    record.created = now;
    const std::uint64_t number = record.id;
    out.writes.push_back(
        write(RecordKind::auth_key, number, stored ? stored->revision : Revision{}, std::move(record)));
  }
  out.begin = next;
  out.end = next + id_block_size;
  out.writes.push_back(count_up(tailnet, out.end));
  return out;
}

Preparation more_ids(const Tailnet& tailnet) {
  Preparation out;
  out.begin = next_id(tailnet);
  out.end = out.begin + id_block_size;
  out.writes.push_back(count_up(tailnet, out.end));
  return out;
}

}  // namespace ts2021::coord

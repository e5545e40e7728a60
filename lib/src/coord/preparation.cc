// SPDX-License-Identifier: BSD-3-Clause
#include "coord/preparation.h"

#include <map>

#include "coord/plan.h"
#include "coord/tags.h"
#include "coord/test_identity.h"

namespace ts2021::coord {
namespace {

std::string default_owner(const CoordinatorConfig& config) {
  return config.owner.empty() ? "owner@" + config.base_domain : config.owner;
}

bool same_attributes(const AuthKeyRecord& a, const AuthKeyRecord& b) {
  return a.user == b.user && a.tags == b.tags && a.reusable == b.reusable && a.ephemeral == b.ephemeral &&
         a.preauthorized == b.preauthorized && a.expiry == b.expiry;
}

// Makes users who are wanted and don't exist yet.
class Users {
 public:
  Users(const Tailnet& tailnet, Preparation& out, std::uint64_t& next, WallTime now)
      : tailnet_(tailnet), out_(out), next_(next), now_(now) {}

  UserId operator[](const std::string& login) {
    if (const UserRecord* user = tailnet_.user(login)) return user->id;
    const auto [at, is_new] = made_.try_emplace(login);
    if (is_new) {
      at->second = UserId{next_++};
      out_.writes.push_back(write_of(new_user(login, "preset", at->second, now_), Revision{}));
    }
    return at->second;
  }

 private:
  const Tailnet& tailnet_;
  Preparation& out_;
  std::uint64_t& next_;
  WallTime now_;
  std::map<std::string, UserId> made_;
};

}  // namespace

std::uint64_t next_id(const Tailnet& tailnet) {
  const auto* counters = tailnet.setting(SettingId::counters);
  return counters ? counters->record->next_id : 1;
}

Write count_up(const Tailnet& tailnet, std::uint64_t next) {
  const auto* counters = tailnet.setting(SettingId::counters);
  return write_of(SettingRecord{SettingId::counters, next}, counters ? counters->revision : Revision{});
}

UserRecord new_user(std::string_view login_name, std::string_view provider, UserId id, WallTime now) {
  UserRecord user;
  user.id = id;
  user.login_name = user.display_name = login_name;
  user.provider = provider;
  user.created = now;
  return user;
}

std::string owner_of(const CoordinatorConfig& config, const PresetAuthKey& key) {
  return key.login_name.empty() ? default_owner(config) : key.login_name;
}

AuthKeyRecord record_of(const PresetAuthKey& key, UserId owner, WallTime now) {
  AuthKeyRecord record;
  record.digest = auth_key_digest(key.secret);
  record.user = owner;
  record.tags = tag_set(key.tags);
  record.reusable = key.reusable;
  record.ephemeral = key.ephemeral;
  record.preauthorized = key.preauthorized;
  record.expiry = key.expiry;
  record.created = now;
  return record;
}

Preparation prepare(const Tailnet& tailnet, const CoordinatorConfig& config, WallTime now) {
  Preparation out;
  std::uint64_t next = next_id(tailnet);
  if (config.test_mode) {
    out = more_ids(tailnet, id_block_size);
    if (!tailnet.user(same_user)) out.writes.push_back(write_of(test_user(same_user, now), Revision{}));
    return out;
  }
  Users users(tailnet, out, next, now);
  (void)users[default_owner(config)];
  std::map<AuthKeyDigest, const PresetAuthKey*> wanted;
  for (const auto& key : config.auth_keys)
    if (!key.secret.empty()) wanted.emplace(auth_key_digest(key.secret), &key);
  for (const auto& [number, stored] : tailnet.auth_keys())
    if (stored.record->preset && !wanted.contains(stored.record->digest))
      out.writes.push_back({RecordKind::auth_key, number, stored.revision, nullptr});
  for (const auto& [digest, key] : wanted) {
    AuthKeyRecord record = record_of(*key, users[owner_of(config, *key)], now);
    record.preset = true;
    const auto* stored = tailnet.auth_key(digest);
    if (!stored) {
      record.id = next++;
      out.writes.push_back(write_of(std::move(record), Revision{}));
      continue;
    }
    const AuthKeyRecord& known = *stored->record;
    if (!known.preset || same_attributes(known, record)) continue;
    record.id = known.id;
    record.created = known.created;
    record.used = known.used;  // what has happened to it stays
    record.revoked = known.revoked;
    out.writes.push_back(write_of(std::move(record), stored->revision));
  }
  out.begin = next;
  out.end = next + id_block_size;
  out.writes.push_back(count_up(tailnet, out.end));
  return out;
}

Preparation more_ids(const Tailnet& tailnet, std::uint64_t count) {
  Preparation out;
  out.begin = next_id(tailnet);
  out.end = out.begin + count;
  out.writes.push_back(count_up(tailnet, out.end));
  return out;
}

}  // namespace ts2021::coord

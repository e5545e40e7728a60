// SPDX-License-Identifier: BSD-3-Clause
#include "coord/tailnet.h"

#include <algorithm>

#include "coord/capabilities.h"
#include "coord/planted.h"
#include "ts2021/msg/hostinfo.h"

namespace ts2021::coord {
namespace {

bool expired_at(const NodeRecord& record, WallTime now) {
  return record.key_expiry && *record.key_expiry <= now;
}

// The order of endpoints means nothing to peers (MAP-31).
bool same_set(std::vector<IpPort> a, std::vector<IpPort> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

// The home relay, which concerns peers too, is a part of its own.
bool hostinfo_differs(const NodeRecord& before, const NodeRecord& after) {
  if (before.hostinfo == after.hostinfo) return false;
  if (!before.hostinfo || !after.hostinfo) return true;
  if (!concerns_peers(*before.hostinfo, *after.hostinfo)) return false;
  if (before.home_derp == after.home_derp) return true;
  Hostinfo same_relay = *after.hostinfo;
  same_relay.net_info = before.hostinfo->net_info;
  return concerns_peers(*before.hostinfo, same_relay);
}

bool routes_differ(const NodeRecord& before, const NodeRecord& after) {
  return before.approved_routes != after.approved_routes ||
         (before.hostinfo != after.hostinfo && before.hostinfo && after.hostinfo &&
          before.hostinfo->routable_ips != after.hostinfo->routable_ips);
}

// What a policy may decide by (coord/policy.h), and whether it is asked at all.
bool subject_differs(const NodeRecord& before, const NodeRecord& after) {
  const auto os = [](const NodeRecord& of) { return of.hostinfo ? std::string_view(of.hostinfo->os) : ""; };
  return before.user != after.user || before.tags != after.tags || before.v4 != after.v4 ||
         before.authorized != after.authorized || before.attributes != after.attributes ||
         os(before) != os(after) || routes_differ(before, after);
}

}  // namespace

Parts difference(const NodeRecord& before, const NodeRecord& after) {  // MAP-31
  Parts parts;
  // A patch can't take something away, so that a loss changes the whole.
  const auto note = [&parts](bool differs, bool lost, Part part) {
    if (differs) parts |= lost ? Part::whole : part;
  };
  const bool other_subject = subject_differs(before, after);
  note(other_subject || before.key != after.key || before.machine != after.machine ||
           before.stable_id != after.stable_id || before.given_name != after.given_name ||
           before.created != after.created || before.full_name != after.full_name ||
           before.put != after.put || hostinfo_differs(before, after),
       false, Part::whole);
  note(other_subject, false, Part::subject);
  note(before.key_signature != after.key_signature, after.key_signature.empty(), Part::signature);
  note(before.capabilities != after.capabilities, false, Part::own);
  note(peers_read_other(before.capabilities, after.capabilities), false, Part::cap_map);
  note(before.key_expiry != after.key_expiry, !after.key_expiry, Part::key_expiry);
  note(before.disco != after.disco, after.disco.is_zero(), Part::disco);
  note(!same_set(before.endpoints, after.endpoints), after.endpoints.empty(), Part::endpoints);
  note(before.home_derp != after.home_derp, after.home_derp == 0, Part::derp);
  note(before.capability != after.capability, false, Part::capability);
  return parts;
}

void Tailnet::apply(const Changed& changed, WallTime now) {
  const auto keep = [&changed](auto& table, auto id) {
    using Kept = std::remove_cvref_t<decltype(*table.begin()->second.record)>;
    if (!changed.record) {
      table.erase(id);
      return;
    }
    if (const auto* record = std::get_if<Kept>(changed.record.get()))
      table[id] = {changed.record, record, changed.revision};
  };
  switch (changed.kind) {
    case RecordKind::node:
      if (changed.record)
        put(NodeId{changed.id}, changed, now);
      else
        drop(NodeId{changed.id});
      break;
    case RecordKind::user: {
      const UserRecord* before = user(UserId{changed.id});
      const RecordPtr held = before ? users_.find(UserId{changed.id})->second.holder : nullptr;
      keep(users_, UserId{changed.id});
      if (before) note_user(UserId{changed.id}, *before);
      break;
    }
    case RecordKind::auth_key:
      if (const auto old = auth_keys_.find(changed.id); old != auth_keys_.end())
        by_digest_.erase(old->second.record->digest);
      keep(auth_keys_, changed.id);
      if (const auto now_there = auth_keys_.find(changed.id); now_there != auth_keys_.end())
        by_digest_[now_there->second.record->digest] = changed.id;
      break;
    case RecordKind::setting:
      keep(settings_, SettingId{changed.id});
      break;
    case RecordKind::lock:  // lock_desk.h
      break;
  }
}

void Tailnet::note_user(UserId id, const UserRecord& before) {
  const UserRecord* after = user(id);
  const bool other_login = !after || after->login_name != before.login_name;
  if (!other_login && after->display_name == before.display_name) return;
  profile_changes_[id] = users_changed_ = log_.advance();
  if (!other_login) return;
  for (const auto& [node, state] : nodes_)
    if (state.record->user == id) log_.changed(node, Part::whole | Part::subject);
}

void Tailnet::put(NodeId id, const Changed& changed, WallTime now) {
  const auto* record = std::get_if<NodeRecord>(changed.record.get());
  if (!record) return;
  const auto [at, is_new] = nodes_.try_emplace(id);
  NodeState& state = at->second;
  const RecordPtr old_holder = state.holder;
  const NodeRecord* old = state.record;

  if (is_new || old->v4 != record->v4) {
    if (old) addresses_.release(old->v4, true);
    (void)addresses_.take(record->v4);  // taken already by whoever planned the record
  }
  if (is_new || old->given_name != record->given_name) {
    if (old) names_.release(old->given_name, id);
    (void)names_.take(record->given_name, id);
  }
  if (is_new || old->key != record->key) {
    if (old) drop_key(old->key, id);
    by_key_[record->key] = id;
  }
  if (is_new || old->machine != record->machine) {
    if (old) std::erase_if(by_machine_, [&](const auto& entry) { return entry.second == id; });
    by_machine_.emplace(record->machine, id);
  }
  if (old && old->key_expiry) expiries_.erase({*old->key_expiry, id});
  const bool was_expired = state.expired;
  const bool new_disco = state.new_disco || (old && !state.online && old->disco != record->disco);
  state = {changed.record, record, changed.revision, expired_at(*record, now), state.online, new_disco};
  if (record->key_expiry && !state.expired) expiries_.emplace(*record->key_expiry, id);

  if (is_new) {
    log_.created(id);
    route(state);
    return;
  }
  route(state);
  Parts parts = difference(*old, *record);
  if (was_expired != state.expired) parts |= Part::whole;
  if (!state.online && old->last_seen != record->last_seen) parts |= Part::online;
  log_.changed(id, parts);
}

void Tailnet::drop(NodeId id) {
  const auto at = nodes_.find(id);
  if (at == nodes_.end()) return;
  const NodeRecord& old = *at->second.record;
  addresses_.release(old.v4, true);
  names_.release(old.given_name, id);
  drop_key(old.key, id);
  const auto [begin, end] = by_machine_.equal_range(old.machine);
  for (auto entry = begin; entry != end; ++entry)
    if (entry->second == id) {
      by_machine_.erase(entry);
      break;
    }
  if (old.key_expiry) expiries_.erase({*old.key_expiry, id});
  nodes_.erase(at);
  excluded_.erase(id);
  log_.removed(id);
  offer(id, {}, false);
}

void Tailnet::route(const NodeState& state) {
  const NodeRecord& record = *state.record;
  const bool routes = record.authorized && !state.expired && !excluded_.contains(record.id);
  offer(record.id, routes ? routes_in_force(record) : std::vector<IpPrefix>(), state.online);
}

void Tailnet::offer(NodeId node, std::vector<IpPrefix> routes, bool online) {
  routes_.set(node, std::move(routes), online, [this](NodeId moved) {
    if (!planted(Planted::keeps_dead_router)) log_.changed(moved, Part::whole);
  });
}

void Tailnet::drop_key(const NodePublic& key, NodeId id) {
  const auto at = by_key_.find(key);
  if (at != by_key_.end() && at->second == id) by_key_.erase(at);
}

void Tailnet::release(const Reserved& reserved) {
  if (reserved.v4) addresses_.release(*reserved.v4, false);
  if (!reserved.name.empty()) names_.release(reserved.name, reserved.node);
}

std::vector<NodeId> Tailnet::expire(WallTime now) {
  std::vector<NodeId> expired;
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    const NodeId id = expiries_.begin()->second;
    expiries_.erase(expiries_.begin());
    NodeState& state = nodes_.find(id)->second;
    state.expired = true;
    log_.changed(id, Part::whole);
    route(state);
    expired.push_back(id);
  }
  return expired;
}

std::optional<WallTime> Tailnet::next_expiry() const {
  if (expiries_.empty()) return std::nullopt;
  return expiries_.begin()->first;
}

void Tailnet::set_online(NodeId node, bool online) {
  const auto at = nodes_.find(node);
  if (at == nodes_.end() || at->second.online == online) return;
  at->second.online = online;
  log_.changed(node, at->second.new_disco ? Part::online | Part::disco : Parts(Part::online));
  at->second.new_disco = false;
  route(at->second);
}

void Tailnet::exclude_from_election(NodeId node, bool excluded) {
  const auto at = nodes_.find(node);
  if (at == nodes_.end()) return;
  if (excluded)
    excluded_.insert(node);
  else
    excluded_.erase(node);
  route(at->second);
}

const NodeState* Tailnet::find(NodeId node) const {
  const auto at = nodes_.find(node);
  return at == nodes_.end() ? nullptr : &at->second;
}

const NodeState* Tailnet::find(const NodePublic& key) const {
  const auto at = by_key_.find(key);
  return at == by_key_.end() ? nullptr : find(at->second);
}

const NodeState* Tailnet::find(const MachinePublic& machine, UserId user, bool tagged) const {
  const auto [begin, end] = by_machine_.equal_range(machine);
  const NodeState* found = nullptr;
  for (auto entry = begin; entry != end; ++entry) {
    const NodeState* state = find(entry->second);
    if (state->record->user != user || state->record->tags.empty() == tagged) continue;
    if (!found || state->record->id < found->record->id) found = state;  // the oldest, whatever the order
  }
  return found;
}

const UserRecord* Tailnet::user(UserId user) const {
  const auto at = users_.find(user);
  return at == users_.end() ? nullptr : at->second.record;
}

Subject Tailnet::subject(const NodeRecord& node) const {
  const UserRecord* owner = user(node.user);
  return {node, owner ? std::string_view(owner->login_name) : std::string_view()};
}

const UserRecord* Tailnet::user(std::string_view login_name) const {
  for (const auto& [id, stored] : users_)
    if (stored.record->login_name == login_name) return stored.record;
  return nullptr;
}

const Tailnet::Stored<AuthKeyRecord>* Tailnet::auth_key(const AuthKeyDigest& digest) const {
  const auto at = by_digest_.find(digest);
  return at == by_digest_.end() ? nullptr : &auth_keys_.find(at->second)->second;
}

const Tailnet::Stored<SettingRecord>* Tailnet::setting(SettingId setting) const {
  const auto at = settings_.find(setting);
  return at == settings_.end() ? nullptr : &at->second;
}

}  // namespace ts2021::coord

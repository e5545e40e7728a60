// SPDX-License-Identifier: BSD-3-Clause
// The tailnet in memory: the records as the store told them, indexes over them, and who is online.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "coord/change_log.h"
#include "coord/name.h"
#include "coord/routes.h"
#include "ts2021/coord/address.h"
#include "ts2021/coord/policy.h"
#include "ts2021/coord/store.h"

namespace ts2021::coord {

template <KeyKind K>
struct KeyHash {
  std::size_t operator()(const PublicKey<K>& key) const {
    std::size_t hash = 0xcbf29ce484222325;
    for (const auto byte : key.bytes()) hash = (hash ^ byte) * 0x100000001b3;
    return hash;
  }
};

struct NodeState {
  RecordPtr holder;  // of *record
  const NodeRecord* record = nullptr;
  Revision revision{};
  bool expired = false;    // key_expiry has come
  bool online = false;     // as peers are told
  bool new_disco = false;  // while offline; told again when it is back (MAP-32)
};

// What was taken for a record that may yet be rejected.
struct Reserved {
  NodeId node{};
  std::optional<Ipv4Address> v4;
  std::string name;  // empty: none
};

// Applies what the store says and notes in the change log what viewers must hear of it.
class Tailnet {
 public:
  template <class T>
  struct Stored {
    RecordPtr holder;
    const T* record = nullptr;
    Revision revision{};
  };

  explicit Tailnet(std::size_t max_tombstones = ChangeLog::max_tombstones) : log_(max_tombstones) {}

  void apply(const Changed& changed, WallTime now);
  // Keys whose time has come between the calls; noted as changes.
  [[nodiscard]] std::vector<NodeId> expire(WallTime now);
  [[nodiscard]] std::optional<WallTime> next_expiry() const;
  void set_online(NodeId node, bool online);
  // What the node routes is said elsewhere: it leaves the election of routers, or comes back.
  void exclude_from_election(NodeId node, bool excluded);

  [[nodiscard]] const std::map<NodeId, NodeState>& nodes() const { return nodes_; }
  [[nodiscard]] const NodeState* find(NodeId node) const;
  [[nodiscard]] const NodeState* find(const NodePublic& key) const;
  // The machine's node of this owner: of the user, or of the same tags.
  [[nodiscard]] const NodeState* find(const MachinePublic& machine, UserId user, bool tagged) const;
  [[nodiscard]] const UserRecord* user(UserId user) const;
  // Calls visit(UserId) for those whose profile changed after `cursor`.
  template <class Visit>
  void users_since(Position cursor, Visit visit) const {
    if (users_changed_ <= cursor) return;
    for (const auto& [id, at] : profile_changes_)
      if (at > cursor) visit(id);
  }
  // When a profile changed last.
  [[nodiscard]] Position users_changed() const { return users_changed_; }
  // The node as a policy sees it; valid until the tailnet changes.
  [[nodiscard]] Subject subject(const NodeRecord& node) const;
  [[nodiscard]] const UserRecord* user(std::string_view login_name) const;
  [[nodiscard]] const Stored<AuthKeyRecord>* auth_key(const AuthKeyDigest& digest) const;
  [[nodiscard]] const std::map<std::uint64_t, Stored<AuthKeyRecord>>& auth_keys() const { return auth_keys_; }
  [[nodiscard]] const Stored<SettingRecord>* setting(SettingId setting) const;

  [[nodiscard]] ChangeLog& log() { return log_; }
  [[nodiscard]] const ChangeLog& log() const { return log_; }
  // What records hold is taken here; what is planned is taken before its record is written.
  [[nodiscard]] const RouteTable& routes() const { return routes_; }
  [[nodiscard]] AddressPool& addresses() { return addresses_; }
  [[nodiscard]] NameTable& names() { return names_; }
  void release(const Reserved& reserved);

 private:
  void put(NodeId id, const Changed& changed, WallTime now);
  void drop(NodeId id);
  void drop_key(const NodePublic& key, NodeId id);
  void note_user(UserId id, const UserRecord& before);
  void route(const NodeState& state);  // what it offers may have changed
  void offer(NodeId node, std::vector<IpPrefix> routes, bool online);

  std::map<NodeId, NodeState> nodes_;  // in the order in which maps list them
  std::unordered_map<NodePublic, NodeId, KeyHash<KeyKind::node>> by_key_;
  std::unordered_multimap<MachinePublic, NodeId, KeyHash<KeyKind::machine>> by_machine_;
  std::set<std::pair<WallTime, NodeId>> expiries_;  // to come
  std::map<UserId, Stored<UserRecord>> users_;
  std::map<UserId, Position> profile_changes_;
  Position users_changed_{};
  std::map<std::uint64_t, Stored<AuthKeyRecord>> auth_keys_;
  std::map<AuthKeyDigest, std::uint64_t> by_digest_;
  std::map<SettingId, Stored<SettingRecord>> settings_;
  ChangeLog log_;
  AddressPool addresses_;
  NameTable names_;
  RouteTable routes_;
  std::set<NodeId> excluded_;  // from the election of routers
};

// What viewers must hear when a record changes; empty when it is nothing to them.
[[nodiscard]] Parts difference(const NodeRecord& before, const NodeRecord& after);

}  // namespace ts2021::coord

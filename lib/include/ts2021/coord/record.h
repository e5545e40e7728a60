// SPDX-License-Identifier: BSD-3-Clause
// What a tailnet keeps: plain values, immutable once shared.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ts2021/base/shared_bytes.h"
#include "ts2021/base/time.h"
#include "ts2021/coord/address.h"
#include "ts2021/coord/id.h"
#include "ts2021/key/key.h"
#include "ts2021/msg/capability.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

struct Hostinfo;  // msg/hostinfo.h
struct Node;      // msg/node.h

// Numbers are stored: never change one.
enum class RecordKind : std::uint8_t { node = 1, user = 2, auth_key = 3, setting = 4, lock = 5 };

struct NodeRecord {
  NodeId id{};
  std::string stable_id;  // unique, opaque, non-empty for the life of the node
  MachinePublic machine;
  NodePublic key;
  DiscoPublic disco;  // zero until reported
  TailnetLockPublic lock_key;
  std::vector<std::uint8_t> key_signature;
  UserId user{};
  std::vector<std::string> tags;             // non-empty: owned by tags, its key does not expire
  std::vector<std::string> requested_tags;   // its last complete wish
  std::string given_name;                    // first label of Node.Name, unique in the tailnet
  bool name_is_set = false;                  // by an administrator: hostnames don't touch given_name
  std::string hostname;                      // as reported when given_name was made
  std::string full_name;                     // Node.Name as it is; empty: given_name in the base domain
  Ipv4Address v4;                            // v6 follows from it: coord/address.h
  std::shared_ptr<const Hostinfo> hostinfo;  // never null once registered
  std::vector<IpPort> endpoints;             // in the client's order
  std::vector<int> endpoint_types;           // parallel, or empty
  int home_derp = 0;                         // 0: unknown
  Capability capability{};                   // of its last request
  WallTime created{};
  std::optional<WallTime> key_expiry;  // none: never
  std::optional<WallTime> last_seen;   // none: never was offline
  bool ephemeral = false;
  bool authorized = true;
  std::uint64_t auth_key = 0;  // by which it last logged in; 0: none
  // Permitted; those that hostinfo advertises as well are in force.
  std::vector<IpPrefix> approved_routes;
  CapMap capabilities;                        // given to it beyond what policy and settings give
  std::map<std::string, RawJson> attributes;  // posture, as the node or an administrator set them
  // What PutNode said beyond all these, unknown members included: maps show its members that are not empty.
  // It has addresses when they are others than v4 and what follows from it. Null: nothing.
  std::shared_ptr<const Node> put;
};

struct UserRecord {
  UserId id{};
  std::string login_name;  // like alice@example.com; non-empty
  std::string display_name;
  std::string provider;
  WallTime created{};
};

// Of what clients present; the secret itself is not kept.
using AuthKeyDigest = std::array<std::uint8_t, 32>;
[[nodiscard]] AuthKeyDigest auth_key_digest(std::string_view secret) noexcept;

struct AuthKeyRecord {
  std::uint64_t id{};
  AuthKeyDigest digest{};
  UserId user{};  // owner of the nodes that log in with it
  std::vector<std::string> tags;
  bool reusable = false;
  bool ephemeral = false;
  bool preauthorized = true;
  bool used = false;
  bool revoked = false;
  bool preset = false;  // comes from the configuration and goes with it
  WallTime created{};
  std::optional<WallTime> expiry;
};

// A part of the tailnet's settings, under a number of its own.
enum class SettingId : std::uint64_t { counters = 1 };
struct SettingRecord {
  SettingId id{};
  std::uint64_t next_id = 1;  // counters: ids of nodes, users and keys below it may have been given out
};

// The tailnet lock; there is one such record.
struct LockRecord {
  static constexpr std::uint64_t only_id = 1;

  std::vector<SharedBytes> updates;  // verified, as they came, the genesis first; empty: the lock is off
  std::vector<std::uint8_t> disablement_secret;   // what switched it off; empty: it never was on, or is on
  std::vector<std::uint8_t> support_disablement;  // a secret for who supports the tailnet; empty: none
  std::vector<std::uint8_t> candidate;            // a genesis whose signatures are to come; empty: none
  NodeId candidate_by{};
};

using Record = std::variant<NodeRecord, UserRecord, AuthKeyRecord, SettingRecord, LockRecord>;
using RecordPtr = std::shared_ptr<const Record>;

[[nodiscard]] RecordKind kind(const Record& record) noexcept;
[[nodiscard]] std::uint64_t id(const Record& record) noexcept;

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// What a coordinator is told at its start.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ts2021/base/time.h"
#include "ts2021/coord/test_mode.h"
#include "ts2021/msg/dns.h"

namespace ts2021 {

class Policy;    // coord/policy.h
struct DERPMap;  // msg/derp.h

// An auth key by its secret.
struct PresetAuthKey {
  std::string secret;
  bool ephemeral = false;
  bool reusable = true;
  bool preauthorized = true;        // matters where nodes need approval
  std::vector<std::string> tags{};  // non-empty: its nodes bear these instead of belonging to its owner
  std::optional<WallTime> expiry{};
  std::string login_name{};  // its owner; empty: the config's
};

// What nodes use to look up names. MagicDNS and the base domain come of themselves.
struct DnsSettings {
  bool magic_dns = true;
  std::vector<Resolver> resolvers;                      // empty: those of the system
  std::map<std::string, std::vector<Resolver>> routes;  // split DNS: suffix → resolvers
  std::vector<std::string> search_domains;              // after the base domain
  std::vector<DNSRecord> extra_records;
  bool certificates = false;  // nodes may ask for certificates of their own names, over set-dns
  friend bool operator==(const DnsSettings&, const DnsSettings&) = default;
};

struct CoordinatorConfig {
  std::string base_domain = "ts2021.test";  // MagicDNS suffix, without dots at its ends
  std::string tailnet = "ts2021.test";      // shown to users
  std::string owner;                        // login name that owns the preset keys; empty: owner@base_domain
  std::shared_ptr<const DERPMap> derp_map;  // null: no relays
  std::vector<PresetAuthKey> auth_keys;
  std::chrono::nanoseconds offline_grace = std::chrono::seconds{2};  // peers must see a leave within 5 s
  std::chrono::nanoseconds keep_alive = std::chrono::seconds{50};    // plus 0 to 9 s
  std::chrono::nanoseconds ephemeral_timeout = std::chrono::minutes{30};
  std::optional<std::chrono::seconds> key_lifetime;  // from login; none: keys do not expire
  bool disable_log_tail = true;
  std::chrono::nanoseconds login_timeout = std::chrono::minutes{15};  // of a pending login
  // A node may replace its own key that has not expired without a new login.
  bool silent_rotation = false;
  // Register requests of one machine: one each interval, this many at once; 0: no limit. A daemon that cannot
  // log in sends about 12 in its first 5 seconds, then one each 30.
  std::chrono::nanoseconds register_interval = std::chrono::seconds{1};
  unsigned register_burst = 60;
  bool tailnet_lock = true;  // nodes may initialise it
  DnsSettings dns;
  Rules rules;  // those in force at the start
  // Behaves as the field's test server (lib/WIRE.md, TEST-*): a node per node key, a user per node, no
  // credential asked, whole maps at every change.
  bool test_mode = false;
};

}  // namespace ts2021

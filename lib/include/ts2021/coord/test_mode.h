// SPDX-License-Identifier: BSD-3-Clause
// What a server for tests does otherwise than one for people, and what a test may lay over its maps.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ts2021/coord/id.h"
#include "ts2021/key/key.h"
#include "ts2021/msg/dns.h"
#include "ts2021/msg/primitives.h"
#include "ts2021/msg/ssh.h"

namespace ts2021 {

// Switches that may change at any time; a request is judged by those in force when its turn comes. Those of
// the second part are for test mode (CoordinatorConfig::test_mode) only: elsewhere SetRules with another than
// the default there is 409.
struct Rules {
  bool require_approval = false;  // of nodes, before they see others
  bool expire_all = false;        // every node is told that its key expired a minute ago; reversible
  // Nodes tell which ports they listen on; none: false, true in test mode.
  std::optional<bool> collect_services;
  // Where people log in, without a slash at its end: a pending login is at <login_url>/a/<id>, in test mode
  // at <login_url>/auth/<id>. Empty: there is no interactive login.
  std::string login_url;
  bool peer_relay_grants = false;

  bool require_auth = false;         // a new node key must be completed by a person, once
  std::string require_auth_key;      // every register carries exactly this one; empty: any or none
  std::string magic_dns_domain;      // new nodes are called <hostname>.<this>.; empty: by the bare hostname
  bool all_nodes_same_user = false;  // else each node key gets a user of its own
  bool all_online = false;           // peers are shown online; else nothing is said about it
  std::optional<CapMap> default_capabilities;  // of new nodes; none: those of the field's test server
  std::optional<std::map<std::string, std::vector<std::string>>> tag_owners;  // none: tags stay as they are
  friend bool operator==(const Rules&, const Rules&) = default;
};

// In the map of `node` its `peer` knows it by this address, and in the peer's map `node` has it.
struct Masquerade {
  NodePublic node;
  NodePublic peer;
  IpAddress address;
  friend bool operator==(const Masquerade&, const Masquerade&) = default;
};

// Each may be ordered in any mode: node ids must exist (404), node keys need not.
namespace coord_command {
struct SetRules {
  Rules rules;
};
// Makes or replaces the node of this key, as its JSON says; members that we don't know stay in it. 400.
struct PutNode {
  NodePublic key;
  std::string json;  // a Node
};
// Nodes that nobody runs; `body` is {"keys":[...]}.
struct AddFakeNodes {
  unsigned count = 1;  // at most 100,000
};
// What the node routes, advertised or not; none: what is approved and advertised.
struct OverrideRoutes {
  NodeId node{};
  std::optional<std::vector<IpPrefix>> routes;
};
struct OverrideCapabilities {
  NodeId node{};
  std::optional<CapMap> capabilities;  // instead of all others; none: no override
};
struct SetUnsignedPeerApiOnly {
  NodeId node{};
  bool value = false;
};
struct SetJailed {
  NodeId viewer{}, peer{};
  bool jailed = false;
};
struct SetMasquerades {
  std::vector<Masquerade> all;  // from now on
};
struct SetAppCaps {  // granted by all to all, beside the policy
  std::optional<CapMap> capabilities;
};
struct SetSshPolicy {  // for all, instead of the policy's
  std::optional<SSHPolicy> policy;
};
struct SetDnsConfig {  // instead of what DnsSettings make; none: that again
  std::optional<DNSConfig> config;
};
struct AddDnsRecords {
  std::vector<DNSRecord> records;
};
}  // namespace coord_command

}  // namespace ts2021

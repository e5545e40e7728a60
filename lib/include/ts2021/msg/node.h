// SPDX-License-Identifier: BSD-3-Clause
// A node as its owner and its peers see it, and partial changes of one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/dns.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/hostinfo.h"
#include "ts2021/msg/id.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

struct Node {
  NodeId id{};
  std::string stable_id;  // opaque, never empty
  std::string name;       // FQDN with trailing dot
  UserId user{};
  UserId sharer{};  // who shared it in; 0: nobody
  NodePublic key;
  Time key_expiry;     // zero: never
  Blob key_signature;  // tailnet lock
  MachinePublic machine;
  DiscoPublic disco_key;
  std::vector<IpPrefix> addresses;                   // one /32, then one /128
  std::optional<std::vector<IpPrefix>> allowed_ips;  // absent: addresses; empty: nothing
  std::vector<IpPort> endpoints;
  std::string derp;  // "127.3.3.40:<region>": set_home_derp() of downlevel.h
  int home_derp = 0;
  std::optional<Hostinfo> hostinfo;
  Time created;
  Capability cap{};
  std::vector<std::string> tags;
  std::vector<IpPrefix> primary_routes;
  Time last_seen;  // only while offline
  OptBool online;  // absent: unknown
  bool machine_authorized = false;
  std::vector<std::string> capabilities;  // what cap_map is from 74 on
  CapMap cap_map;
  bool unsigned_peer_api_only = false;
  bool expired = false;
  IpAddress self_node_v4_masq_addr_for_this_peer, self_node_v6_masq_addr_for_this_peer;
  bool is_wireguard_only = false;
  bool is_jailed = false;
  std::vector<Resolver> exit_node_dns_resolvers;
  std::string stable_tailnet_id;  // self only
  RawJson extra{};
  friend bool operator==(const Node&, const Node&) = default;
};
constexpr auto fields(const Node*) {
  return std::tuple{
      always<"ID", &Node::id>,
      always_plain<"StableID", &Node::stable_id>,
      always_plain<"Name", &Node::name>,
      always<"User", &Node::user>,
      Field<"Sharer", &Node::sharer>{},
      always<"Key", &Node::key>,
      Field<"KeyExpiry", &Node::key_expiry>{},
      Field<"KeySignature", &Node::key_signature>{.since = Capability::key_signatures},
      Field<"Machine", &Node::machine>{},
      Field<"DiscoKey", &Node::disco_key>{},
      always<"Addresses", &Node::addresses>,
      Field<"AllowedIPs", &Node::allowed_ips>{},
      Field<"Endpoints", &Node::endpoints>{},
      Field<"DERP", &Node::derp>{},
      Field<"HomeDERP", &Node::home_derp>{.since = Capability::home_derp},
      Field<"Hostinfo", &Node::hostinfo>{},
      Field<"Created", &Node::created>{},
      Field<"Cap", &Node::cap>{.since = Capability::node_cap},
      Field<"Tags", &Node::tags>{},
      Field<"PrimaryRoutes", &Node::primary_routes>{},
      Field<"LastSeen", &Node::last_seen>{},
      Field<"Online", &Node::online>{},
      Field<"MachineAuthorized", &Node::machine_authorized>{},
      Field<"Capabilities", &Node::capabilities>{},
      Field<"CapMap", &Node::cap_map>{.since = Capability::node_cap_map},
      Field<"UnsignedPeerAPIOnly", &Node::unsigned_peer_api_only>{.since =
                                                                      Capability::unsigned_peer_api_only},
      Field<"Expired", &Node::expired>{.since = Capability::node_expired},
      Field<"SelfNodeV4MasqAddrForThisPeer", &Node::self_node_v4_masq_addr_for_this_peer>{
          .since = Capability::masquerade_v4},
      Field<"SelfNodeV6MasqAddrForThisPeer", &Node::self_node_v6_masq_addr_for_this_peer>{
          .since = Capability::masquerade_v6},
      Field<"IsWireGuardOnly", &Node::is_wireguard_only>{.since = Capability::wireguard_only_peers},
      Field<"IsJailed", &Node::is_jailed>{.since = Capability::jailed_peers},
      Field<"ExitNodeDNSResolvers", &Node::exit_node_dns_resolvers>{.since = Capability::exit_node_dns},
      Field<"StableTailnetID", &Node::stable_tailnet_id>{.since = Capability::stable_tailnet_id}};
}
// Without an id a client can't name it again; such a peer is left out.
[[nodiscard]] inline bool valid(const Node& node) { return node.id != NodeId{} && !node.key.is_zero(); }

// What changed about a known peer; absent members are unchanged. patch_fits() of downlevel.h tells who
// understands it.
struct PeerChange {
  NodeId node_id{};
  int derp_region = 0;  // 0: unchanged
  std::optional<Capability> cap;
  std::optional<CapMap> cap_map;                 // replaces the whole map
  std::optional<std::vector<IpPort>> endpoints;  // not empty: send PeersChanged to clear
  std::optional<NodePublic> key;
  std::optional<Blob> key_signature;
  std::optional<DiscoPublic> disco_key;
  OptBool online;
  std::optional<Time> last_seen;
  std::optional<Time> key_expiry;
  friend bool operator==(const PeerChange&, const PeerChange&) = default;
};
constexpr auto fields(const PeerChange*) {
  return std::tuple{always<"NodeID", &PeerChange::node_id>,
                    Field<"DERPRegion", &PeerChange::derp_region>{},
                    Field<"Cap", &PeerChange::cap>{.since = Capability::node_cap},
                    Field<"CapMap", &PeerChange::cap_map>{.since = Capability::node_cap_map},
                    Field<"Endpoints", &PeerChange::endpoints>{},
                    Field<"Key", &PeerChange::key>{.since = Capability::more_peer_patches},
                    Field<"KeySignature", &PeerChange::key_signature>{.since = Capability::key_signatures},
                    Field<"DiscoKey", &PeerChange::disco_key>{.since = Capability::more_peer_patches},
                    Field<"Online", &PeerChange::online>{.since = Capability::more_peer_patches},
                    Field<"LastSeen", &PeerChange::last_seen>{.since = Capability::more_peer_patches},
                    Field<"KeyExpiry", &PeerChange::key_expiry>{.since = Capability::more_peer_patches}};
}
[[nodiscard]] inline bool valid(const PeerChange& change) { return change.node_id != NodeId{}; }

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/node_view.h"

#include "coord/capabilities.h"
#include "coord/planted.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021::coord {
namespace {

// MAP-40: subnets that are the node's in the election, and exit routes, of which many nodes may have one.
void add_routes(const Snapshot& snapshot, const NodeState& state, Node& node) {
  if (state.expired || !state.record->authorized) return;
  node.primary_routes = snapshot.tailnet.routes().primary_of(state.record->id);
  auto& allowed = *node.allowed_ips;
  allowed.insert(allowed.end(), node.primary_routes.begin(), node.primary_routes.end());
  for (const IpPrefix& route : routes_in_force(*state.record))
    if (is_exit_route(route)) allowed.push_back(route);
}

// What self and peer have in common.
Node base_node(const Snapshot& snapshot, const NodeState& state) {
  const NodeRecord& record = *state.record;
  Node node;
  node.id = record.id;
  node.stable_id = record.stable_id;
  node.name = record.full_name.empty() ? full_name(record, snapshot.settings.config()) + "."  // API-35
                                       : record.full_name;
  node.user = shown_owner(record);
  node.key = record.key;
  if (record.key_expiry) node.key_expiry = *record.key_expiry;
  node.key_signature.bytes = record.key_signature;
  node.machine = record.machine;
  node.disco_key = record.disco;
  node.addresses = {IpPrefix::host(IpAddress::v4(record.v4.value)),
                    IpPrefix::host(IpAddress::v6(mapped_v6(record.v4)))};
  explicit_allowed_ips(node);
  add_routes(snapshot, state, node);
  node.created = record.created;
  node.cap = record.capability;
  node.tags = record.tags;
  node.machine_authorized = record.authorized;
  return node;
}

}  // namespace

UserId shown_owner(const NodeRecord& node) { return node.tags.empty() ? node.user : tagged_devices; }

std::string full_name(const NodeRecord& node, const CoordinatorConfig& config) {
  return node.given_name + "." + config.base_domain;
}

Node peer_node(const Snapshot& snapshot, const NodeState& peer) {
  const NodeRecord& record = *peer.record;
  Node node = base_node(snapshot, peer);
  if (record.hostinfo) node.hostinfo = peer_view(*record.hostinfo);
  node.cap_map = peer_capabilities(record, snapshot.grants.of(record.id));
  node.online = peer.online;
  if (!peer.online && record.last_seen) node.last_seen = *record.last_seen;
  node.expired = peer.expired;
  if (!peer.expired) {  // MAP-28
    node.endpoints = record.endpoints;
    set_home_derp(node, record.home_derp);
  }
  return node;
}

Node self_node(const Snapshot& snapshot, const NodeState& self) {
  const NodeRecord& record = *self.record;
  Node node = base_node(snapshot, self);
  if (record.hostinfo) node.hostinfo = *record.hostinfo;
  node.endpoints = record.endpoints;
  set_home_derp(node, record.home_derp);
  node.cap_map = own_capabilities(record, snapshot.tailnet.subject(record).login,
                                  snapshot.grants.of(record.id), snapshot.settings.config());
  return node;
}

UserProfile profile(const Tailnet& tailnet, UserId user) {
  UserProfile profile;
  profile.id = user;
  if (user == tagged_devices) {  // MAP-45
    profile.login_name = "tagged-devices";
    profile.display_name = "Tagged Devices";
  } else if (const UserRecord* known = tailnet.user(user)) {
    profile.login_name = known->login_name;
    profile.display_name = known->display_name;
  } else {
    profile.login_name = profile.display_name = "unknown-user";  // the node must not be left without one
  }
  return profile;
}

PeerChange patch(const Snapshot& snapshot, const NodeState& peer, Parts parts) {
  const NodeRecord& record = *peer.record;
  PeerChange change;
  change.node_id = record.id;
  if (parts.has(Part::endpoints)) change.endpoints = record.endpoints;
  if (parts.has(Part::derp)) change.derp_region = record.home_derp;
  if (parts.has(Part::disco)) change.disco_key = record.disco;
  if (parts.has(Part::capability)) change.cap = record.capability;
  if (parts.has(Part::signature)) change.key_signature = Blob{record.key_signature};
  if (parts.has(Part::cap_map)) change.cap_map = peer_capabilities(record, snapshot.grants.of(record.id));
  if (parts.has(Part::key_expiry) && record.key_expiry) change.key_expiry = Time(*record.key_expiry);
  if (parts.has(Part::online) || parts.has(Part::disco)) change.online = peer.online;
  if (change.online && !peer.online && record.last_seen) change.last_seen = Time(*record.last_seen);
  // Some clients believe a new disco key only of a peer that was seen just now (MAP-32).
  if (parts.has(Part::disco) && peer.online) change.last_seen = Time(snapshot.now);
  return change;
}

bool patchable(const NodeState& peer, Parts parts) {
  if (peer.expired || (parts.has(Part::whole) && !planted(Planted::patches_whole))) return false;
  const NodeRecord& record = *peer.record;
  return !(parts.has(Part::endpoints) && record.endpoints.empty()) &&
         !(parts.has(Part::derp) && record.home_derp == 0) &&
         !(parts.has(Part::disco) && record.disco.is_zero()) &&
         !(parts.has(Part::signature) && record.key_signature.empty()) &&
         !(parts.has(Part::key_expiry) && !record.key_expiry);
}

}  // namespace ts2021::coord

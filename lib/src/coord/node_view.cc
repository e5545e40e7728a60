// SPDX-License-Identifier: BSD-3-Clause
#include "coord/node_view.h"

#include <algorithm>
#include <tuple>

#include "coord/capabilities.h"
#include "coord/planted.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021::coord {
namespace {

// MAP-40: subnets that are the node's in the election, and exit routes, of which many nodes may have one.
void add_routes(const Snapshot& snapshot, const NodeState& state, Node& node) {
  auto& allowed = *node.allowed_ips;
  if (const auto& routes = snapshot.overrides.of(node.id).routes) {  // TEST-33
    node.primary_routes = *routes;
    allowed.insert(allowed.end(), routes->begin(), routes->end());
    return;
  }
  if (state.expired || !state.record->authorized) return;
  node.primary_routes = snapshot.tailnet.routes().primary_of(state.record->id);
  allowed.insert(allowed.end(), node.primary_routes.begin(), node.primary_routes.end());
  for (const IpPrefix& route : routes_in_force(*state.record))
    if (is_exit_route(route)) allowed.push_back(route);
}

// Members that no member of the record stands for.
void add_put(const Node& put, Node& node) {
  const Node nothing{};
  Node rest = put;
  rest.endpoints.clear();
  rest.hostinfo.reset();
  rest.capabilities.clear();
  rest.cap_map.clear();
  set_home_derp(rest, 0);
  const auto add = [&](auto member) {
    if (node.*member == nothing.*member) node.*member = std::move(rest.*member);
  };
  std::apply([&](const auto&... field) { (add(field.member), ...); }, fields(&nothing));
  if (!put.addresses.empty()) node.addresses = put.addresses;  // TEST-14
  node.extra = put.extra;                                      // TEST-30
}

// The node by its record alone; what self and peer have in common.
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
  node.created = record.created;
  node.cap = record.capability;
  node.tags = record.tags;
  node.machine_authorized = record.authorized;
  if (record.put) add_put(*record.put, node);
  explicit_allowed_ips(node);
  return node;
}

Node shown_node(const Snapshot& snapshot, const NodeState& state) {
  Node node = base_node(snapshot, state);
  add_routes(snapshot, state, node);
  if (snapshot.settings.config().rules.expire_all) node.key_expiry = snapshot.settings.all_expired_at();
  return node;
}

void add_host(const NodeRecord& record, Node& node) {
  if (record.hostinfo) node.hostinfo = *record.hostinfo;
  node.endpoints = record.endpoints;
  set_home_derp(node, record.home_derp);
}

CapMap capabilities_for_peers(const Snapshot& snapshot, const NodeRecord& record) {
  if (const auto& over = snapshot.overrides.of(record.id).capabilities) return *over;  // TEST-35
  if (snapshot.settings.config().test_mode) return record.capabilities;
  return peer_capabilities(record, snapshot.grants.of(record.id));
}

}  // namespace

UserId shown_owner(const NodeRecord& node) { return node.tags.empty() ? node.user : tagged_devices; }

std::string full_name(const NodeRecord& node, const CoordinatorConfig& config) {
  return node.given_name + "." + config.base_domain;
}

bool is_expired(const Snapshot& snapshot, const NodeState& state) {
  return state.expired || snapshot.settings.config().rules.expire_all;
}

Node peer_node(const Snapshot& snapshot, const NodeRecord* viewer, const NodeState& peer) {
  const NodeRecord& record = *peer.record;
  const CoordinatorConfig& config = snapshot.settings.config();
  Node node = shown_node(snapshot, peer);
  if (record.hostinfo) node.hostinfo = peer_view(*record.hostinfo);
  node.cap_map = capabilities_for_peers(snapshot, record);
  if (config.test_mode) {
    node.capabilities = names_of(record.capabilities);  // TEST-35
    if (config.rules.all_online) node.online = true;    // TEST-37
  } else {
    node.online = peer.online;
    if (!peer.online && record.last_seen) node.last_seen = *record.last_seen;
  }
  if (snapshot.overrides.of(record.id).unsigned_peer_api_only) node.unsigned_peer_api_only = true;
  node.expired = is_expired(snapshot, peer);
  if (!node.expired) {  // MAP-28
    node.endpoints = record.endpoints;
    set_home_derp(node, record.home_derp);
  }
  if (viewer) snapshot.overrides.lay_over(*viewer, node);
  return node;
}

Node self_node(const Snapshot& snapshot, const NodeState& self) {
  const NodeRecord& record = *self.record;
  const CoordinatorConfig& config = snapshot.settings.config();
  Node node = shown_node(snapshot, self);
  add_host(record, node);
  const auto& over = snapshot.overrides.of(record.id).capabilities;
  if (config.test_mode) {  // TEST-35
    node.capabilities = names_of(record.capabilities);
    node.capabilities.emplace_back("debug-disable-upnp");
    if (snapshot.overrides.all.ssh) node.capabilities.emplace_back("https://tailscale.com/cap/ssh");
    if (over) node.cap_map = *over;
  } else if (over) {
    node.cap_map = *over;
  } else {
    node.cap_map = own_capabilities(record, snapshot.tailnet.subject(record).login,
                                    snapshot.grants.of(record.id), config);
  }
  return node;
}

Node stored_node(const Snapshot& snapshot, const NodeState& state) {
  Node node = base_node(snapshot, state);
  add_host(*state.record, node);
  node.cap_map = state.record->capabilities;
  if (snapshot.settings.config().test_mode) node.capabilities = names_of(node.cap_map);
  if (state.record->last_seen) node.last_seen = *state.record->last_seen;
  return node;
}

std::vector<IpPrefix> addresses_seen(const Snapshot& snapshot, const NodeRecord& viewer,
                                     const NodeState& state) {
  Node node = base_node(snapshot, state);
  if (viewer.id != node.id) snapshot.overrides.lay_over(viewer, node);
  return node.addresses;
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
  if (parts.has(Part::cap_map)) change.cap_map = capabilities_for_peers(snapshot, record);
  if (parts.has(Part::key_expiry) && record.key_expiry) change.key_expiry = Time(*record.key_expiry);
  if (parts.has(Part::online) || parts.has(Part::disco)) change.online = peer.online;
  if (change.online && !peer.online && record.last_seen) change.last_seen = Time(*record.last_seen);
  // Some clients believe a new disco key only of a peer that was seen just now (MAP-32).
  if (parts.has(Part::disco) && peer.online) change.last_seen = Time(snapshot.now);
  return change;
}

bool patchable(const Snapshot& snapshot, const NodeState& peer, Parts parts) {
  if (is_expired(snapshot, peer) || (parts.has(Part::whole) && !planted(Planted::patches_whole)))
    return false;
  const NodeRecord& record = *peer.record;
  return !(parts.has(Part::endpoints) && record.endpoints.empty()) &&
         !(parts.has(Part::derp) && record.home_derp == 0) &&
         !(parts.has(Part::disco) && record.disco.is_zero()) &&
         !(parts.has(Part::signature) && record.key_signature.empty()) &&
         !(parts.has(Part::key_expiry) && !record.key_expiry);
}

}  // namespace ts2021::coord

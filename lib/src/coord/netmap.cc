// SPDX-License-Identifier: BSD-3-Clause
#include "coord/netmap.h"

#include <algorithm>
#include <set>

#include "coord/planted.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021::coord {
namespace {

// What self and peer have in common.
Node base_node(const Snapshot& snapshot, const NodeState& state) {
  const NodeRecord& record = *state.record;
  Node node;
  node.id = record.id;
  node.stable_id = record.stable_id;
  node.name = record.given_name + "." + snapshot.config.base_domain + ".";  // API-35
  node.user = record.user;
  node.key = record.key;
  if (record.key_expiry) node.key_expiry = *record.key_expiry;
  node.key_signature.bytes = record.key_signature;
  node.machine = record.machine;
  node.disco_key = record.disco;
  node.addresses = {IpPrefix::host(IpAddress::v4(record.v4.value)),
                    IpPrefix::host(IpAddress::v6(mapped_v6(record.v4)))};
  explicit_allowed_ips(node);
  node.created = record.created;
  node.cap = record.capability;
  node.tags = record.tags;
  node.machine_authorized = record.authorized;
  return node;
}

bool visible(const Snapshot& snapshot, const Viewer& viewer, const NodeState& peer) {
  return peer.record->id != viewer.node &&
         snapshot.policy.sees(viewer.view, snapshot.tailnet.subject(*peer.record));
}

void add_profile(const Snapshot& snapshot, UserId id, std::set<UserId>& told, MapResponse& out) {
  if (!told.insert(id).second || planted(Planted::misses_profile)) return;
  UserProfile profile;
  profile.id = id;
  if (const UserRecord* user = snapshot.tailnet.user(id)) {
    profile.login_name = user->login_name;
    profile.display_name = user->display_name;
  } else {
    profile.login_name = profile.display_name = "unknown-user";  // the node must not be left without one
  }
  out.user_profiles.push_back(std::move(profile));
}

// The parts of a peer that a patch can carry.
PeerChange patch(const NodeState& peer, Parts parts, WallTime now) {
  const NodeRecord& record = *peer.record;
  PeerChange change;
  change.node_id = record.id;
  if (parts.has(Part::endpoints)) change.endpoints = record.endpoints;
  if (parts.has(Part::derp)) change.derp_region = record.home_derp;
  if (parts.has(Part::disco)) change.disco_key = record.disco;
  if (parts.has(Part::capability)) change.cap = record.capability;
  if (parts.has(Part::key_expiry) && record.key_expiry) change.key_expiry = Time(*record.key_expiry);
  if (parts.has(Part::online) || parts.has(Part::disco)) change.online = peer.online;
  if (change.online && !peer.online && record.last_seen) change.last_seen = Time(*record.last_seen);
  // Some clients believe a new disco key only of a peer that was seen just now (MAP-32).
  if (parts.has(Part::disco) && peer.online) change.last_seen = Time(now);
  return change;
}

// Some state has moved on since the parts were noted: a patch could not say that endpoints or the relay are
// gone by now.
bool patchable(const NodeState& peer, Parts parts) {
  if (peer.expired || (parts.has(Part::whole) && !planted(Planted::patches_whole))) return false;
  const NodeRecord& record = *peer.record;
  return !(parts.has(Part::endpoints) && record.endpoints.empty()) &&
         !(parts.has(Part::derp) && record.home_derp == 0) &&
         !(parts.has(Part::disco) && record.disco.is_zero()) &&
         !(parts.has(Part::key_expiry) && !record.key_expiry);
}

// MAP-25: which of the ways to tell of a peer. The cheapest that says all is taken.
void add_change(const Snapshot& snapshot, const Viewer& viewer, const NodeState& peer, Parts parts,
                std::vector<NodeId>& came_online, std::set<UserId>& told, MapResponse& out) {
  if (patchable(peer, parts)) {
    if (parts == Parts(Part::online) && (peer.online || viewer.capability < Capability::more_peer_patches)) {
      came_online.push_back(peer.record->id);
      return;
    }
    auto change = patch(peer, parts, snapshot.now);
    if (patch_fits(change, viewer.capability)) {
      out.peers_changed_patch.push_back(std::move(change));
      return;
    }
  }
  out.peers_changed.push_back(peer_node(snapshot, peer));
  add_profile(snapshot, peer.record->user, told, out);  // MAP-24
}

}  // namespace

Node peer_node(const Snapshot& snapshot, const NodeState& peer) {
  const NodeRecord& record = *peer.record;
  Node node = base_node(snapshot, peer);
  if (record.hostinfo) node.hostinfo = peer_view(*record.hostinfo);
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
  return node;
}

MapResponse full_map(const Snapshot& snapshot, const Viewer& viewer, std::optional<Position> told) {
  const auto& config = snapshot.config;
  MapResponse out;
  std::set<UserId> profiles;
  const NodeState* self = snapshot.tailnet.find(viewer.node);
  out.node = self_node(snapshot, *self);
  add_profile(snapshot, self->record->user, profiles, out);
  for (const auto& [id, peer] : snapshot.tailnet.nodes()) {
    if (!visible(snapshot, viewer, peer)) continue;
    out.peers.push_back(peer_node(snapshot, peer));
    add_profile(snapshot, peer.record->user, profiles, out);
  }
  if (told && out.peers.empty() && !planted(Planted::empty_peers_trap)) {  // MAP-22
    for (const auto& [id, peer] : snapshot.tailnet.nodes())
      if (id != viewer.node) out.peers_removed.push_back(id);
    snapshot.tailnet.log().since(*told, [&](const ChangeLog::Change& change) {
      if (change.removed) out.peers_removed.push_back(change.node);
    });
    std::sort(out.peers_removed.begin(), out.peers_removed.end());
  }
  if ((!told || snapshot.derp_map_changed > *told) && config.derp_map)
    out.derp_map = *config.derp_map;  // MAP-23
  out.dns_config.emplace();
  out.dns_config->domains = {config.base_domain};
  out.dns_config->proxied = true;
  out.domain = config.tailnet;
  out.collect_services = false;
  out.packet_filters["base"] = snapshot.policy.packet_filter(snapshot.tailnet.subject(*self->record));
  out.control_time = snapshot.now;
  if (!told && config.disable_log_tail) out.debug.emplace().disable_log_tail = true;
  return out;
}

std::optional<MapResponse> delta(const Snapshot& snapshot, const Viewer& viewer, Position cursor) {
  MapResponse out;
  std::set<UserId> told;
  std::vector<NodeId> flipped;
  bool any = false;
  snapshot.tailnet.log().since(cursor, [&](const ChangeLog::Change& change) {
    if (change.removed) {
      if (!planted(Planted::forgets_removed)) out.peers_removed.push_back(change.node);  // MAP-26
      any = true;
      return;
    }
    const NodeState* state = snapshot.tailnet.find(change.node);
    if (!state) return;
    if (change.node == viewer.node) {
      if (!change.created && !change.parts.has(Part::whole) && !change.parts.has(Part::key_expiry)) return;
      out.node = self_node(snapshot, *state);  // MAP-27
      add_profile(snapshot, state->record->user, told, out);
      any = true;
      return;
    }
    if (!visible(snapshot, viewer, *state)) {
      // Only a change of the whole can have taken it out of sight.
      if (!change.parts.has(Part::whole)) return;
      out.peers_removed.push_back(change.node);
    } else {
      add_change(snapshot, viewer, *state, change.created ? Parts(Part::whole) : change.parts, flipped, told,
                 out);
    }
    any = true;
  });
  if (snapshot.derp_map_changed > cursor && snapshot.config.derp_map) {
    out.derp_map = *snapshot.config.derp_map;
    any = true;
  }
  if (!any) return std::nullopt;

  // Beside patches, OnlineChange would cost clients a rebuild of their whole map.
  const bool patches = !out.peers_changed_patch.empty() && viewer.capability >= Capability::more_peer_patches;
  for (const NodeId id : flipped)
    if (patches)
      out.peers_changed_patch.push_back(patch(*snapshot.tailnet.find(id), Part::online, snapshot.now));
    else
      out.online_change[id] = snapshot.tailnet.find(id)->online;
  const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
  std::sort(out.peers_changed.begin(), out.peers_changed.end(), by_id);
  std::sort(out.user_profiles.begin(), out.user_profiles.end(), by_id);
  std::sort(out.peers_removed.begin(), out.peers_removed.end());
  std::sort(out.peers_changed_patch.begin(), out.peers_changed_patch.end(),
            [](const PeerChange& a, const PeerChange& b) { return a.node_id < b.node_id; });
  return out;
}

MapResponse farewell(const Snapshot& snapshot, const NodeState& self) {
  MapResponse out;
  out.node = self_node(snapshot, self);
  out.node->key_expiry = snapshot.now;
  return out;
}

}  // namespace ts2021::coord

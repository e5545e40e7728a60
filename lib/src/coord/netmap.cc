// SPDX-License-Identifier: BSD-3-Clause
#include "coord/netmap.h"

#include <algorithm>
#include <set>

#include "coord/capabilities.h"
#include "coord/map_filter.h"
#include "coord/map_sections.h"
#include "coord/planted.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021::coord {
namespace {

constexpr Parts told_of_self = Part::whole | Part::key_expiry | Part::signature | Part::cap_map | Part::own;

// The viewer, when it sees some peers as nobody else does.
const NodeRecord* particular(const Snapshot& snapshot, const Viewer& viewer) {
  if (!snapshot.overrides.any_pairs()) return nullptr;
  const NodeState* self = snapshot.tailnet.find(viewer.node);
  return self && snapshot.overrides.concern(*self->record) ? self->record : nullptr;
}

// A message that is being made.
struct Draft {
  MapResponse message;
  std::set<UserId> profiles;  // those in it
  std::vector<NodeId> flipped;
  bool any = false;  // there is something to tell

  void add_profile(const Snapshot& snapshot, UserId user) {  // MAP-24
    if (!profiles.insert(user).second || planted(Planted::misses_profile)) return;
    message.user_profiles.push_back(profile(snapshot.tailnet, user));
  }
  void add_self(const Snapshot& snapshot, const NodeState& self) {  // MAP-27
    message.node = self_node(snapshot, self);
    message.default_auto_update = default_auto_update(message.node->cap_map);
    add_profile(snapshot, message.node->user);
    any = true;
  }
  void add_filter(const Snapshot& snapshot, const Viewer& viewer, const NodeState& self) {  // MAP-47
    std::vector<FilterRule> rules;
    if (viewer.view) rules = filter_of(snapshot, self, viewer.capability);
    if (snapshot.settings.config().test_mode)
      message.packet_filter = std::move(rules);  // TEST-39
    else
      message.packet_filters["base"] = std::move(rules);
    any = true;
  }
};

// MAP-25: which of the ways to tell of a peer. The cheapest that says all is taken.
void add_change(const Snapshot& snapshot, const Viewer& viewer, const NodeState& peer, Parts parts,
                Draft& out) {
  out.any = true;
  if (patchable(snapshot, peer, parts)) {
    if (parts == Parts(Part::online) && (peer.online || viewer.capability < Capability::more_peer_patches)) {
      out.flipped.push_back(peer.record->id);
      return;
    }
    auto change = patch(snapshot, peer, parts);
    if (patch_fits(change, viewer.capability)) {
      out.message.peers_changed_patch.push_back(std::move(change));
      return;
    }
  }
  out.message.peers_changed.push_back(peer_node(snapshot, particular(snapshot, viewer), peer));
  out.add_profile(snapshot, out.message.peers_changed.back().user);
}

void add_peers_since(const Snapshot& snapshot, const Viewer& viewer, Position cursor, Draft& out) {
  snapshot.tailnet.log().since(cursor, [&](const ChangeLog::Change& change) {
    if (change.removed) {
      if (!planted(Planted::forgets_removed)) out.message.peers_removed.push_back(change.node);  // MAP-26
      out.any = true;
      return;
    }
    const NodeState* state = snapshot.tailnet.find(change.node);
    if (!state || change.node == viewer.node) return;
    if (!change.created && change.parts.has_only(hidden_from_peers)) return;
    if (visible(snapshot, viewer, *state)) {
      add_change(snapshot, viewer, *state, change.created ? Parts(Part::whole) : change.parts, out);
    } else if (change.parts.has(particular(snapshot, viewer) ? Part::whole : Part::subject)) {
      // Only this can have taken it out of sight.
      out.message.peers_removed.push_back(change.node);
      out.any = true;
    }
  });
}

// MAP-48: a profile that changed goes to those who know somebody of that name.
void add_profiles_since(const Snapshot& snapshot, const Viewer& viewer, Position cursor, Draft& out) {
  snapshot.tailnet.users_since(cursor, [&](UserId user) {
    for (const auto& [id, state] : snapshot.tailnet.nodes()) {
      if (shown_owner(*state.record) != user) continue;
      if (id != viewer.node && !visible(snapshot, viewer, state)) continue;
      out.add_profile(snapshot, user);
      out.any = true;
      return;
    }
  });
}

// Filters name others by what they bear; who does not understand that is told the addresses instead.
bool needs_holders(const Snapshot& snapshot, const Viewer& viewer, Position cursor) {  // API-76
  return !understands_cap_sources(viewer.capability) && snapshot.grants.holders_changed() > cursor &&
         !planted(Planted::keeps_old_holders);
}

// The same goes for filters that list nodes; whom a masquerade concerns, for him another key changes
// addresses.
bool needs_nodes(const Snapshot& snapshot, const Viewer& viewer, Position cursor) {
  return filter_lists_nodes(snapshot) &&
         (snapshot.grants.subjects_changed() > cursor || particular(snapshot, viewer));
}

void add_self_since(const Snapshot& snapshot, const Viewer& viewer, Position cursor, Draft& out) {
  const NodeState* self = snapshot.tailnet.find(viewer.node);
  if (!self) return;
  const Parts parts = snapshot.tailnet.log().parts_since(viewer.node, cursor);
  if (parts.has_any(told_of_self) || snapshot.settings.changed(Section::self, viewer.node) > cursor)
    out.add_self(snapshot, *self);
  if ((parts.has(Part::subject) && !planted(Planted::keeps_old_filter)) ||
      needs_holders(snapshot, viewer, cursor) || needs_nodes(snapshot, viewer, cursor))
    out.add_filter(snapshot, viewer, *self);
}

// Beside patches, OnlineChange would cost clients a rebuild of their whole map.
void add_flipped(const Snapshot& snapshot, const Viewer& viewer, Draft& out) {
  const bool patches =
      !out.message.peers_changed_patch.empty() && viewer.capability >= Capability::more_peer_patches;
  for (const NodeId id : out.flipped) {
    const NodeState& state = *snapshot.tailnet.find(id);
    if (patches)
      out.message.peers_changed_patch.push_back(patch(snapshot, state, Part::online));
    else
      out.message.online_change[id] = state.online;
  }
}

// TEST-37: what tests look for in the logs of clients.
void add_test_constants(MapResponse& out) {
  out.domain = "fake-control.example.net";
  out.control_time = Time(std::chrono::sys_days(std::chrono::year(2020) / 8 / 3), 1);
}

void sort(MapResponse& message) {
  const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
  std::sort(message.peers_changed.begin(), message.peers_changed.end(), by_id);
  std::sort(message.user_profiles.begin(), message.user_profiles.end(), by_id);
  std::sort(message.peers_removed.begin(), message.peers_removed.end());
  std::sort(message.peers_changed_patch.begin(), message.peers_changed_patch.end(),
            [](const PeerChange& a, const PeerChange& b) { return a.node_id < b.node_id; });
}

}  // namespace

bool visible(const Snapshot& snapshot, const Viewer& viewer, const NodeState& peer) {
  if (peer.record->id == viewer.node || !viewer.view) return false;
  if (const NodeRecord* self = particular(snapshot, viewer);
      self && !peer_visible(peer_node(snapshot, self, peer), viewer.capability))
    return false;                                                             // API-72
  return snapshot.settings.config().test_mode ||                              // TEST-36
         ((peer.record->authorized || planted(Planted::shows_unapproved)) &&  // MAP-46
          snapshot.visibility.sees(snapshot.policy, *viewer.view, peer));
}

std::optional<ViewClass> view_of(const Snapshot& snapshot, const NodeState& node) {
  if (snapshot.settings.config().test_mode) return ViewClass{};  // TEST-36
  if (!node.record->authorized) return std::nullopt;             // MAP-46
  return snapshot.visibility.view_of(snapshot.policy, node);
}

MapResponse map_without_peers(const Snapshot& snapshot, const Viewer& viewer, std::optional<Position> told,
                              bool has_peers) {
  const CoordinatorConfig& config = snapshot.settings.config();
  const NodeState* self = snapshot.tailnet.find(viewer.node);
  Draft draft;
  MapResponse& out = draft.message;
  draft.add_self(snapshot, *self);
  if (told && !has_peers && !planted(Planted::empty_peers_trap)) {  // MAP-22
    for (const auto& [id, peer] : snapshot.tailnet.nodes())
      if (id != viewer.node) out.peers_removed.push_back(id);
    snapshot.tailnet.log().since(*told, [&](const ChangeLog::Change& change) {
      if (change.removed) out.peers_removed.push_back(change.node);
    });
    std::sort(out.peers_removed.begin(), out.peers_removed.end());
  }
  draft.add_filter(snapshot, viewer, *self);
  add_sections(snapshot, viewer.node, told, out);
  if (config.test_mode) {
    add_test_constants(out);
    return std::move(out);
  }
  out.control_time = snapshot.now;
  if (told) return std::move(out);
  out.domain = config.tailnet;
  if (config.disable_log_tail) out.debug.emplace().disable_log_tail = true;
  return std::move(out);
}

MapResponse full_map(const Snapshot& snapshot, const Viewer& viewer, std::optional<Position> told) {
  const NodeRecord* only = particular(snapshot, viewer);
  Draft peers;
  const auto add = [&](const NodeState& peer) {
    if (!visible(snapshot, viewer, peer)) return;
    peers.message.peers.push_back(peer_node(snapshot, only, peer));
    peers.add_profile(snapshot, peers.message.peers.back().user);
  };
  if (snapshot.settings.config().test_mode) {
    for (const auto& [id, peer] : snapshot.tailnet.nodes()) add(peer);
  } else if (viewer.view) {
    for (const NodeId id : snapshot.visibility.seen_by(snapshot.policy, *viewer.view))
      if (const NodeState* peer = snapshot.tailnet.find(id)) add(*peer);
  }
  MapResponse out = map_without_peers(snapshot, viewer, told, !peers.message.peers.empty());
  out.peers = std::move(peers.message.peers);
  for (UserProfile& one : peers.message.user_profiles)
    if (out.user_profiles.empty() || one.id != out.user_profiles.front().id)
      out.user_profiles.push_back(std::move(one));
  return out;
}

bool has_own_news(const Snapshot& snapshot, const Viewer& viewer, Position cursor) {
  return (snapshot.tailnet.log().latest(viewer.node) > cursor && !planted(Planted::shares_with_changed)) ||
         snapshot.settings.own_news(viewer.node, cursor) || needs_holders(snapshot, viewer, cursor) ||
         needs_nodes(snapshot, viewer, cursor) || particular(snapshot, viewer);
}

std::optional<MapResponse> delta(const Snapshot& snapshot, const Viewer& viewer, Position cursor) {
  Draft draft;
  add_peers_since(snapshot, viewer, cursor, draft);
  add_profiles_since(snapshot, viewer, cursor, draft);
  add_self_since(snapshot, viewer, cursor, draft);
  draft.any |= add_sections(snapshot, viewer.node, cursor, draft.message);
  if (!draft.any) return std::nullopt;
  add_flipped(snapshot, viewer, draft);
  sort(draft.message);
  return std::move(draft.message);
}

MapResponse farewell(const Snapshot& snapshot, const NodeState& self) {
  MapResponse out;
  out.node = self_node(snapshot, self);
  out.node->key_expiry = snapshot.now;
  return out;
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/client/fold.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ts2021/msg/downlevel.h"

namespace ts2021 {
namespace {

bool is_base32(std::string_view text) {
  return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == std::string_view::npos;
}

// Base32 of 32 bytes.
bool is_lock_head(std::string_view text) { return text.size() == 52 && is_base32(text); }

bool is_own(const Node& node, const IpPrefix& prefix) {
  return std::find(node.addresses.begin(), node.addresses.end(), prefix) != node.addresses.end();
}

bool has_host_bits(const IpPrefix& prefix) { return prefix != prefix.masked(); }

}  // namespace

Fold::Fold(Capability viewer, const FoldLimits& limits) : viewer_(viewer), limits_(limits) {}

void Fold::found(std::string_view rule, Harm harm, std::string_view text, NodeId node) {
  if (findings_.size() < limits_.findings || harm == Harm::stream)
    findings_.push_back({rule, harm, text, node});
}

std::span<const Finding> Fold::apply(MapResponse message) {
  findings_.clear();
  ++messages_;
  if (!begin(message)) return findings_;
  act_on(message);
  take_settings(message);
  take_filters(message);
  take_notes(message);
  take_profiles(message);
  if (message.node) map_.self = std::move(*message.node);
  if (message.peers.empty())
    change_peers(message);
  else
    replace_peers(message);
  look_at_routes();
  return findings_;
}

// What ends a stream, before anything of the message counts. False: there is no more to do.
bool Fold::begin(const MapResponse& message) {
  if (message.keep_alive) {  // MAP-6
    ++keep_alives_;
    if (message.ping_request) act_on(message);
    MapResponse only;
    only.keep_alive = true;
    only.ping_request = message.ping_request;
    if (message != only)
      found("MAP-6", Harm::part, "a keep-alive carries changes, which clients don't look at");
    return false;
  }
  if (!map_.self && !message.node) {  // MAP-21
    found("MAP-21", Harm::stream, "the first message lacks the node itself");
    return false;
  }
  if (message.tka_info && !message.tka_info->head.empty() &&
      !is_lock_head(message.tka_info->head)) {  // MAP-60
    found("MAP-60", Harm::stream, "the head of the tailnet lock is no hash");
    return false;
  }
  return true;
}

// What keeps its value until it comes again.
void Fold::take_settings(MapResponse& message) {
  if (message.derp_map) {  // MAP-61
    DERPMap& known = map_.derp_map ? *map_.derp_map : map_.derp_map.emplace();
    if (message.derp_map->regions) known.regions = std::move(message.derp_map->regions);
    if (message.derp_map->home_params) known.home_params = std::move(message.derp_map->home_params);
  }
  if (message.dns_config) map_.dns = std::move(message.dns_config);
  if (!message.domain.empty()) map_.domain = std::move(message.domain);
  if (!message.domain_data_plane_audit_log_id.empty())
    map_.audit_log_id = std::move(message.domain_data_plane_audit_log_id);
  if (message.collect_services) map_.collect_services = message.collect_services;
  if (message.default_auto_update) map_.default_auto_update = message.default_auto_update;
  if (message.ssh_policy) map_.ssh = std::move(message.ssh_policy);
  if (message.client_version) map_.client_version = std::move(message.client_version);
  if (message.control_dial_plan) map_.dial_plan = std::move(message.control_dial_plan);
  if (!message.control_time.is_zero()) map_.control_time = message.control_time.at;
  if (message.tka_info) map_.lock = std::move(message.tka_info);
}

// MAP-62: named chunks; "*" deletes all that were there, null one.
void Fold::take_filters(MapResponse& message) {
  if (!message.packet_filter && message.packet_filters.empty()) return;
  if (!message.packet_filters.empty() && viewer_ < Capability::packet_filters)
    found("API-76", Harm::part, "named filters for a client that knows one list");
  if (message.packet_filter) chunks_["base"] = std::move(*message.packet_filter);
  if (message.packet_filters.contains("*")) chunks_.clear();
  for (auto& [name, rules] : message.packet_filters) {
    if (!rules)
      chunks_.erase(name);
    else if (chunks_.size() < limits_.filter_chunks || chunks_.contains(name))
      chunks_[name] = std::move(*rules);
    else
      found("MAP-67", Harm::part, "more filters than a client will keep");
  }
  auto& filter = map_.filter.emplace();
  for (const auto& [name, rules] : chunks_) filter.insert(filter.end(), rules.begin(), rules.end());
  for (const FilterRule& rule : filter) {
    if (!valid(rule)) found("API-76", Harm::part, "a rule that makes clients drop all rules");
    if (understands_cap_sources(viewer_)) continue;
    for (const auto& source : rule.src_ips)
      if (source.starts_with("cap:"))
        found("API-76", Harm::part, "a source that the client can't read makes it drop all rules");
  }
}

void Fold::take_notes(MapResponse& message) {
  if (message.health && !message.display_messages.empty())
    found("MAP-63", Harm::none, "health in both of its forms");
  if (!message.display_messages.empty() && viewer_ < Capability::display_messages)
    found("MAP-63", Harm::part, "messages in a form that the client does not know");
  if (message.health) map_.health = std::move(message.health);
  if (message.display_messages.contains("*")) map_.display_messages.clear();
  for (auto& [id, text] : message.display_messages) {
    if (!text) {
      map_.display_messages.erase(id);
      continue;
    }
    if (text->severity != "high" && text->severity != "medium" && text->severity != "low")
      found("MAP-63", Harm::none, "a message without a known severity");
    if (map_.display_messages.size() < limits_.messages || map_.display_messages.contains(id))
      map_.display_messages[id] = std::move(*text);
    else
      found("MAP-67", Harm::part, "more messages than a client will keep");
  }
}

// What acts once, when it arrives.
void Fold::act_on(const MapResponse& message) {
  if (message.debug) map_.disable_log_tail |= message.debug->disable_log_tail;
  if (!message.ping_request) return;
  const std::string& url = message.ping_request->url;
  if (url.empty())
    found("MAP-64", Harm::none, "a ping without an address");
  else if (url == last_ping_)
    found("MAP-64", Harm::part, "a ping that clients take for the last one");
  last_ping_ = url;
}

void Fold::take_profiles(MapResponse& message) {
  for (auto& profile : message.user_profiles) {
    const UserId id = profile.id;
    if (map_.profiles.size() < limits_.profiles || map_.profiles.contains(id))
      map_.profiles[id] = std::move(profile);
    else
      found("MAP-67", Harm::part, "more users than a client will keep");
  }
}

void Fold::add(Node&& peer) {
  const NodeId id = peer.id;
  if (map_.self && id == map_.self->id) return found("MAP-65", Harm::part, "a node is its own peer", id);
  if (peer.addresses.empty()) found("API-30", Harm::part, "a peer has no address", id);
  for (const UserId user : {peer.user, peer.sharer})
    if (user != UserId{} && !map_.profiles.contains(user))  // MAP-24
      found("MAP-24", Harm::part, "a peer comes before its owner's profile", id);
  if (viewer_ < Capability::implicit_allowed_ips && !peer.allowed_ips)
    found("API-71", Harm::part, "a client that knows no default lacks AllowedIPs", id);
  if (peer.allowed_ips && std::any_of(peer.allowed_ips->begin(), peer.allowed_ips->end(), has_host_bits))
    found("MAP-40", Harm::part, "an allowed prefix has host bits", id);
  for (const auto& prefix : peer.primary_routes)
    if (!peer.allowed_ips ||
        std::find(peer.allowed_ips->begin(), peer.allowed_ips->end(), prefix) == peer.allowed_ips->end())
      found("MAP-40", Harm::none, "a primary route that is not allowed", id);
  routes_moved_ |= peer.allowed_ips && std::any_of(peer.allowed_ips->begin(), peer.allowed_ips->end(),
                                                   [&](const auto& prefix) { return !is_own(peer, prefix); });
  if (map_.peers.size() >= limits_.peers && !map_.peers.contains(id))
    return found("MAP-67", Harm::part, "more peers than a client will keep", id);
  map_.peers.insert_or_assign(id, std::move(peer));
}

// MAP-22: a list of peers replaces all, and nothing else about peers is looked at.
void Fold::replace_peers(MapResponse& message) {
  if (!message.peers_changed.empty() || !message.peers_removed.empty() ||
      !message.peers_changed_patch.empty() || !message.online_change.empty() ||
      !message.peer_seen_change.empty())
    found("MAP-22", Harm::part, "changes beside a list of all peers are not looked at");
  map_.peers.clear();
  NodeId last{};
  for (Node& peer : message.peers) {
    if (peer.id <= last) found("MAP-65", Harm::part, "peers are not in the order of their ids", peer.id);
    last = peer.id;
    add(std::move(peer));
  }
}

// In this order (MAP-66); where it would matter, real clients differ.
void Fold::change_peers(MapResponse& message) {
  if (!message.peers_changed.empty()) {
    std::set<NodeId> named(message.peers_removed.begin(), message.peers_removed.end());
    for (const PeerChange& change : message.peers_changed_patch) named.insert(change.node_id);
    for (const Node& peer : message.peers_changed)
      if (named.contains(peer.id))
        found("MAP-66", Harm::part,
              "a peer is changed, and removed or patched: clients make a patch of the change", peer.id);
  }
  for (const PeerChange& change : message.peers_changed_patch)
    if (change.online && message.online_change.contains(change.node_id))
      found("MAP-66", Harm::part, "a peer's presence is told twice: not every client believes the same",
            change.node_id);
  for (const NodeId id : message.peers_removed)
    if (map_.peers.erase(id) == 0) found("MAP-26", Harm::none, "an unknown peer is removed", id);
  for (Node& peer : message.peers_changed) add(std::move(peer));
  for (const auto& [id, seen] : message.peer_seen_change) {
    const auto at = map_.peers.find(id);
    if (at == map_.peers.end())
      found("MAP-66", Harm::none, "an unknown peer was seen", id);
    else
      at->second.last_seen = seen ? Time(map_.control_time) : Time();
  }
  for (const auto& [id, online] : message.online_change) {
    const auto at = map_.peers.find(id);
    if (at == map_.peers.end())
      found("MAP-66", Harm::none, "an unknown peer is online or not", id);
    else
      at->second.online = online;
  }
  for (PeerChange& change : message.peers_changed_patch) patch(std::move(change));
}

void Fold::patch(PeerChange&& change) {
  const bool clears = change.endpoints && change.endpoints->empty();
  if (clears)
    found("MAP-25", Harm::part, "not every client takes an empty list of endpoints in a patch",
          change.node_id);
  else if (!patch_fits(change, viewer_))
    found("MAP-25", Harm::part, "a patch of which the client does not know all", change.node_id);
  const auto at = map_.peers.find(change.node_id);
  if (at == map_.peers.end())
    return found("MAP-66", Harm::none, "a patch of an unknown peer", change.node_id);
  Node& peer = at->second;
  if (change.endpoints) peer.endpoints = std::move(*change.endpoints);
  if (change.derp_region != 0) set_home_derp(peer, change.derp_region);
  if (change.key) peer.key = *change.key;
  if (change.disco_key) peer.disco_key = *change.disco_key;
  if (change.key_expiry) peer.key_expiry = *change.key_expiry;
  if (change.online) peer.online = *change.online;
  if (change.last_seen) peer.last_seen = *change.last_seen;
  if (change.cap) peer.cap = *change.cap;
  if (change.cap_map) peer.cap_map = std::move(*change.cap_map);
  if (change.key_signature) peer.key_signature = std::move(*change.key_signature);
}

// MAP-42: a subnet has one way. All peers are looked at, so only when a peer came with more than its
// addresses.
void Fold::look_at_routes() {
  if (!std::exchange(routes_moved_, false)) return;
  std::set<IpPrefix> seen;
  for (const auto& [id, peer] : map_.peers)
    if (peer.allowed_ips)
      for (const IpPrefix& prefix : *peer.allowed_ips)
        if (prefix.size != 0 && !is_own(peer, prefix) && !seen.insert(prefix).second)
          found("MAP-42", Harm::part, "two peers have one route", id);
}

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// What a client's map is after a sequence of messages, written from the protocol's description alone; judges
// what coordination sends and shares nothing with it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ts2021/msg/downlevel.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::test {

class NetmapFold {
 public:
  // Empty, or what a client would choke on.
  std::string apply(const MapResponse& message) {
    ++messages;
    if (message.keep_alive) {
      ++keep_alives;
      return message == keep_alive_only() ? "" : "a keep-alive carries changes";
    }
    if (!self && !message.node) return "the first message lacks the node itself";
    if (message.node) self = message.node;
    for (const auto& profile : message.user_profiles) profiles[profile.id] = profile;
    if (message.derp_map) {
      derp_map = message.derp_map;
      ++derp_maps;
    }
    if (message.dns_config) dns = message.dns_config;
    if (!message.domain.empty()) domain = message.domain;
    if (message.packet_filter) filter = message.packet_filter;
    for (const auto& [name, rules] : message.packet_filters)
      if (rules && name == "base") filter = rules;
    if (message.debug) disable_log_tail |= message.debug->disable_log_tail;
    if (!message.control_time.is_zero()) control_time = message.control_time.at;
    return message.peers.empty() ? change_peers(message) : replace_peers(message);
  }

  std::optional<Node> self;
  std::map<NodeId, Node> peers;
  std::map<UserId, UserProfile> profiles;
  std::optional<DERPMap> derp_map;
  std::optional<DNSConfig> dns;
  std::string domain;
  std::optional<std::vector<FilterRule>> filter;
  bool disable_log_tail = false;
  WallTime control_time{};
  std::size_t messages = 0, keep_alives = 0, derp_maps = 0;

 private:
  static MapResponse keep_alive_only() {
    MapResponse only;
    only.keep_alive = true;
    return only;
  }

  std::string add(const Node& peer) {
    if (self && peer.id == self->id) return "a node is its own peer";
    if (peer.addresses.size() != 2) return "a peer has not two addresses";
    if (!profiles.contains(peer.user)) return "a peer comes before its owner's profile";
    peers[peer.id] = peer;
    return "";
  }

  // A list of peers replaces all; nothing else about peers is looked at.
  std::string replace_peers(const MapResponse& message) {
    peers.clear();
    NodeId last{};
    for (const auto& peer : message.peers) {
      if (peer.id <= last) return "peers are not sorted";
      last = peer.id;
      if (auto wrong = add(peer); !wrong.empty()) return wrong;
    }
    return "";
  }

  std::string change_peers(const MapResponse& message) {
    for (const auto id : message.peers_removed) peers.erase(id);
    for (const auto& peer : message.peers_changed)
      if (auto wrong = add(peer); !wrong.empty()) return wrong;
    for (const auto& [id, online] : message.online_change) {
      const auto at = peers.find(id);
      if (at == peers.end()) return "an unknown peer is online or not";
      at->second.online = online;
    }
    for (const auto& change : message.peers_changed_patch) {
      const auto at = peers.find(change.node_id);
      if (at == peers.end()) return "a patch of an unknown peer";
      Node& peer = at->second;
      if (change.endpoints) {
        if (change.endpoints->empty()) return "a patch can't clear endpoints";
        peer.endpoints = *change.endpoints;
      }
      if (change.derp_region != 0) set_home_derp(peer, change.derp_region);
      if (change.key) peer.key = *change.key;
      if (change.disco_key) peer.disco_key = *change.disco_key;
      if (change.key_expiry) peer.key_expiry = *change.key_expiry;
      if (change.online) peer.online = *change.online;
      if (change.last_seen) peer.last_seen = *change.last_seen;
      if (change.cap) peer.cap = *change.cap;
      if (change.key_signature) peer.key_signature = *change.key_signature;
    }
    return "";
  }
};

}  // namespace ts2021::test

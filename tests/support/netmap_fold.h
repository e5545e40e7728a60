// SPDX-License-Identifier: BSD-3-Clause
// What a client's map is after a sequence of messages, written from the protocol's description alone; judges
// what coordination sends and shares nothing with it.
#pragma once

#include <algorithm>
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
  // As a client of this version; what it would not understand is wrong.
  explicit NetmapFold(Capability capability = newest_capability) : capability_(capability) {}

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
    for (auto wrong : {take_settings(message), take_filters(message), take_notes(message), act_on(message),
                       message.peers.empty() ? change_peers(message) : replace_peers(message), ambiguous()})
      if (!wrong.empty()) return wrong;
    return "";
  }

  std::optional<Node> self;
  std::map<NodeId, Node> peers;
  std::map<UserId, UserProfile> profiles;
  std::optional<DERPMap> derp_map;
  std::optional<DNSConfig> dns;
  std::string domain;
  OptBool collect_services, default_auto_update;
  std::optional<std::vector<FilterRule>> filter;  // all chunks together, by their names
  std::optional<SSHPolicy> ssh;
  std::optional<std::vector<std::string>> health;
  std::map<std::string, DisplayMessage> display_messages;
  std::optional<ClientVersion> client_version;
  std::optional<ControlDialPlan> dial_plan;
  std::optional<TKAInfo> lock;
  bool disable_log_tail = false;
  WallTime control_time{};
  std::vector<PingRequest> pings;
  std::vector<std::string> opened_urls;
  std::vector<Debug> debugs;
  std::size_t messages = 0, keep_alives = 0, derp_maps = 0;

 private:
  static MapResponse keep_alive_only() {
    MapResponse only;
    only.keep_alive = true;
    return only;
  }

  // What keeps its value until it comes again.
  std::string take_settings(const MapResponse& message) {
    if (message.derp_map) {
      if (!derp_map) derp_map.emplace();
      if (message.derp_map->regions) derp_map->regions = message.derp_map->regions;
      if (message.derp_map->home_params) derp_map->home_params = message.derp_map->home_params;
      ++derp_maps;
    }
    if (message.dns_config) dns = message.dns_config;
    if (!message.domain.empty()) domain = message.domain;
    if (message.collect_services) collect_services = message.collect_services;
    if (message.default_auto_update) default_auto_update = message.default_auto_update;
    if (message.ssh_policy) ssh = message.ssh_policy;
    if (message.client_version) client_version = message.client_version;
    if (message.control_dial_plan) dial_plan = message.control_dial_plan;
    if (!message.control_time.is_zero()) control_time = message.control_time.at;
    if (!message.tka_info) return "";
    lock = message.tka_info;
    const std::string& head = lock->head;
    const bool base32 = head.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == std::string::npos;
    return head.empty() || (base32 && head.size() == 52) ? "" : "the head of the lock is no hash";
  }

  std::string take_filters(const MapResponse& message) {
    if (!message.packet_filters.empty() && capability_ < Capability::packet_filters)
      return "named filters for a client that knows one list";
    if (message.packet_filter) chunks_["base"] = *message.packet_filter;
    if (message.packet_filters.contains("*")) chunks_.clear();
    for (const auto& [name, rules] : message.packet_filters)
      if (rules)
        chunks_[name] = *rules;
      else
        chunks_.erase(name);
    if (message.packet_filter || !message.packet_filters.empty()) {
      filter.emplace();
      for (const auto& [name, rules] : chunks_) filter->insert(filter->end(), rules.begin(), rules.end());
    }
    if (!filter) return "";
    for (const auto& rule : *filter) {
      if (!valid(rule)) return "a rule that makes clients drop all";
      for (const auto& source : rule.src_ips)
        if (source.starts_with("cap:") && capability_ < Capability::cap_sources)
          return "a source that the client can't read makes it drop all rules";
    }
    return "";
  }

  std::string take_notes(const MapResponse& message) {
    if (message.health && !message.display_messages.empty()) return "health in both forms";
    if (!message.display_messages.empty() && capability_ < Capability::display_messages)
      return "messages in a form that the client does not know";
    if (message.health) health = message.health;
    if (message.display_messages.contains("*")) display_messages.clear();
    for (const auto& [id, text] : message.display_messages) {
      if (!text) {
        display_messages.erase(id);
      } else {
        if (text->severity != "high" && text->severity != "medium" && text->severity != "low")
          return "a message without a known severity";
        display_messages[id] = *text;
      }
    }
    return "";
  }

  // What acts once, when it arrives.
  std::string act_on(const MapResponse& message) {
    if (message.debug) {
      debugs.push_back(*message.debug);
      disable_log_tail |= message.debug->disable_log_tail;
    }
    if (!message.pop_browser_url.empty()) opened_urls.push_back(message.pop_browser_url);
    if (!message.ping_request) return "";
    if (message.ping_request->url.empty()) return "a ping without an address";
    if (!pings.empty() && pings.back().url == message.ping_request->url)
      return "a ping that the client takes for the last one";
    pings.push_back(*message.ping_request);
    return "";
  }

  std::string add(const Node& peer) {
    if (self && peer.id == self->id) return "a node is its own peer";
    if (peer.addresses.size() != 2) return "a peer has not two addresses";
    if (!profiles.contains(peer.user)) return "a peer comes before its owner's profile";
    if (capability_ < Capability::implicit_allowed_ips && !peer.allowed_ips)
      return "a client that knows no default lacks AllowedIPs";
    for (const auto* list : {peer.allowed_ips ? &*peer.allowed_ips : nullptr, &peer.primary_routes})
      if (list)
        for (const auto& prefix : *list)
          if (prefix != prefix.masked()) return "a route with host bits";
    for (const auto& prefix : peer.primary_routes)
      if (!peer.allowed_ips ||
          std::find(peer.allowed_ips->begin(), peer.allowed_ips->end(), prefix) == peer.allowed_ips->end())
        return "a primary route that is not allowed";
    peers[peer.id] = peer;
    return "";
  }

  // A subnet has one way.
  [[nodiscard]] std::string ambiguous() const {
    std::set<IpPrefix> seen;
    for (const auto& [id, peer] : peers)
      if (peer.allowed_ips)
        for (const auto& prefix : *peer.allowed_ips)
          if (prefix.size != 0 && !seen.insert(prefix).second)
            return "two peers have the route " + prefix.text();
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
    for (const auto& [id, seen] : message.peer_seen_change) {
      const auto at = peers.find(id);
      if (at == peers.end()) return "an unknown peer was seen";
      at->second.last_seen = seen ? Time(control_time) : Time();
    }
    for (const auto& [id, online] : message.online_change) {
      const auto at = peers.find(id);
      if (at == peers.end()) return "an unknown peer is online or not";
      at->second.online = online;
    }
    for (const auto& change : message.peers_changed_patch)
      if (auto wrong = patch(change); !wrong.empty()) return wrong;
    return "";
  }

  std::string patch(const PeerChange& change) {
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
    if (change.cap_map) peer.cap_map = *change.cap_map;
    if (change.key_signature) peer.key_signature = *change.key_signature;
    return "";
  }

  Capability capability_;
  std::map<std::string, std::vector<FilterRule>> chunks_;
};

}  // namespace ts2021::test

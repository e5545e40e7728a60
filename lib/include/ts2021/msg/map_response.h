// SPDX-License-Identifier: BSD-3-Clause
// POST /machine/map: one message of the answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/derp.h"
#include "ts2021/msg/dns.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/filter.h"
#include "ts2021/msg/id.h"
#include "ts2021/msg/node.h"
#include "ts2021/msg/ping.h"
#include "ts2021/msg/primitives.h"
#include "ts2021/msg/small.h"
#include "ts2021/msg/ssh.h"
#include "ts2021/msg/user.h"

namespace ts2021 {

// Every member may be absent; most are then unchanged for the client until the stream ends.
struct MapResponse {
  std::string map_session_handle;
  std::int64_t seq = 0;
  bool keep_alive = false;  // everything but the next two and the last few small ones is then ignored
  std::optional<PingRequest> ping_request;
  std::string pop_browser_url;
  std::optional<Node> node;  // self; required in the first message
  std::optional<DERPMap> derp_map;
  std::vector<Node> peers;  // the whole list, by id, in the first message only; never written when empty
  std::vector<Node> peers_changed;
  std::vector<NodeId> peers_removed;
  std::vector<PeerChange> peers_changed_patch;
  std::map<NodeId, bool> peer_seen_change, online_change;
  std::optional<DNSConfig> dns_config;
  std::string domain;
  OptBool collect_services;
  std::optional<std::vector<FilterRule>> packet_filter;  // empty: block everything
  std::map<std::string, std::optional<std::vector<FilterRule>>>
      packet_filters;  // none: delete; "*": all first
  std::vector<UserProfile> user_profiles;
  std::optional<std::vector<std::string>> health;                         // empty: healthy
  std::map<std::string, std::optional<DisplayMessage>> display_messages;  // none: delete; "*": all first
  std::optional<SSHPolicy> ssh_policy;
  Time control_time;
  std::optional<TKAInfo> tka_info;
  std::string domain_data_plane_audit_log_id;
  std::optional<Debug> debug;
  std::optional<ControlDialPlan> control_dial_plan;
  std::optional<ClientVersion> client_version;
  OptBool default_auto_update;
  RawJson extra{};
  friend bool operator==(const MapResponse&, const MapResponse&) = default;
};
constexpr auto fields(const MapResponse*) {
  return std::tuple{
      Field<"MapSessionHandle", &MapResponse::map_session_handle>{.since = Capability::map_session},
      Field<"Seq", &MapResponse::seq>{.since = Capability::map_session},
      Field<"KeepAlive", &MapResponse::keep_alive>{},
      Field<"PingRequest", &MapResponse::ping_request>{},
      Field<"PopBrowserURL", &MapResponse::pop_browser_url>{.since = Capability::pop_browser_url},
      Field<"Node", &MapResponse::node>{},
      Field<"DERPMap", &MapResponse::derp_map>{},
      Field<"Peers", &MapResponse::peers>{},
      Field<"PeersChanged", &MapResponse::peers_changed>{},
      Field<"PeersRemoved", &MapResponse::peers_removed>{},
      Field<"PeersChangedPatch", &MapResponse::peers_changed_patch>{.since = Capability::peer_patches},
      Field<"PeerSeenChange", &MapResponse::peer_seen_change>{},
      Field<"OnlineChange", &MapResponse::online_change>{},
      Field<"DNSConfig", &MapResponse::dns_config>{},
      Field<"Domain", &MapResponse::domain>{.plain = true},
      Field<"CollectServices", &MapResponse::collect_services>{},
      Field<"PacketFilter", &MapResponse::packet_filter>{},
      Field<"PacketFilters", &MapResponse::packet_filters>{.since = Capability::packet_filters},
      Field<"UserProfiles", &MapResponse::user_profiles>{},
      Field<"Health", &MapResponse::health>{},
      Field<"DisplayMessages", &MapResponse::display_messages>{.since = Capability::display_messages},
      Field<"SSHPolicy", &MapResponse::ssh_policy>{.since = Capability::ssh_policy},
      Field<"ControlTime", &MapResponse::control_time>{.since = Capability::ssh_policy},
      Field<"TKAInfo", &MapResponse::tka_info>{.since = Capability::tailnet_lock},
      Field<"DomainDataPlaneAuditLogID", &MapResponse::domain_data_plane_audit_log_id>{
          .since = Capability::control_dial_plan},
      Field<"Debug", &MapResponse::debug>{},
      Field<"ControlDialPlan", &MapResponse::control_dial_plan>{.since = Capability::control_dial_plan},
      Field<"ClientVersion", &MapResponse::client_version>{.since = Capability::register_signatures},
      Field<"DefaultAutoUpdate", &MapResponse::default_auto_update>{
          .since = Capability::default_auto_update, .until = Capability::auto_update_capability}};
}

}  // namespace ts2021

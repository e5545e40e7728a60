// SPDX-License-Identifier: BSD-3-Clause
// A map message in which every member that some version treats differently is set.
#pragma once

#include <string>

#include "ts2021/msg/downlevel.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::test {

inline NodePublic node_key(char digit) { return *NodePublic::parse("nodekey:" + std::string(64, digit)); }

inline Node sample_node(unsigned id) {
  Node node;
  node.id = NodeId{id};
  node.stable_id = "nFAKE" + std::to_string(id);
  node.name = "host" + std::to_string(id) + ".net-a.example.test.";
  node.user = UserId{1001};
  node.key = node_key(static_cast<char>('0' + id % 10));
  node.key_expiry = *Time::parse("2026-07-01T03:04:05Z");
  node.disco_key = *DiscoPublic::parse("discokey:" + std::string(64, 'd'));
  node.addresses = {IpPrefix::host(IpAddress::v4(0x64400000 + id)),
                    *IpPrefix::parse("fd7a:115c:a1e0:ab12:4843:cd96:6240:" + std::to_string(id) + "/128")};
  node.endpoints = {*IpPort::parse("192.0.2.11:41641")};
  set_home_derp(node, 900);
  node.hostinfo.emplace().os = "linux";
  node.hostinfo->hostname = "host" + std::to_string(id);
  node.hostinfo->ingress_enabled = true;
  node.hostinfo->services_hash = "hash";
  node.hostinfo->peer_relay = true;
  node.created = *Time::parse("2026-01-02T03:04:05Z");
  node.cap = newest_capability;
  node.online = true;
  node.machine_authorized = true;
  return node;
}

inline MapResponse sample_map() {
  MapResponse map;
  map.map_session_handle = "session";
  map.seq = 1;
  auto& ping = map.ping_request.emplace();
  ping.url = "https://unused/c2n/1";
  ping.url_is_noise = true;
  ping.types = "c2n";
  ping.ip = IpAddress::v4(0x64400002);
  ping.payload.bytes = {'G', 'E', 'T'};
  map.pop_browser_url = "https://control.example.test/";

  auto& self = map.node.emplace(sample_node(1));
  self.cap_map = {{"https", {}}, {"randomize-client-port", {}}, {"value", {*RawJson::parse(R"({"a":1})")}}};
  self.stable_tailnet_id = "tFAKE";
  self.key_signature.bytes = {1, 2, 3};

  map.derp_map.emplace().home_params.emplace().region_score.emplace() = {{900, 0.5}};
  DERPRegion region;
  region.region_id = 900;
  region.region_code = "lab";
  region.region_name = "Lab";
  region.no_measure_no_home = true;
  DERPNode relay;
  relay.name = "900a";
  relay.region_id = 900;
  relay.host_name = "derp.example.test";
  region.nodes = {relay};
  map.derp_map->regions.emplace() = {{900, region}};

  for (unsigned id = 2; id <= 8; ++id) map.peers.push_back(sample_node(id));
  map.peers[1].expired = true;
  map.peers[2].is_wireguard_only = true;
  map.peers[2].exit_node_dns_resolvers.resize(1);
  map.peers[2].exit_node_dns_resolvers[0].addr = "10.0.0.1";
  map.peers[3].self_node_v4_masq_addr_for_this_peer = IpAddress::v4(0x64400909);
  map.peers[4].self_node_v6_masq_addr_for_this_peer = *IpAddress::parse("fd7a:115c:a1e0::9");
  map.peers[5].is_jailed = true;
  map.peers[6].unsigned_peer_api_only = true;

  const auto patch = [&]() -> PeerChange& {
    map.peers_changed_patch.emplace_back().node_id = NodeId{2};
    return map.peers_changed_patch.back();
  };
  patch().derp_region = 901;
  patch().endpoints = {{*IpPort::parse("192.0.2.12:1")}};
  patch().key = node_key('a');
  patch().key_signature = Blob{{1}};
  patch().disco_key = DiscoPublic{};
  patch().online = true;
  patch().last_seen = *Time::parse("2026-01-02T03:04:05Z");
  patch().key_expiry = *Time::parse("2026-01-02T03:04:05Z");
  patch().cap = Capability{100};
  patch().cap_map = CapMap{{"a", {}}};

  map.online_change = {{NodeId{2}, true}};
  auto& dns = map.dns_config.emplace();
  dns.resolvers.resize(1);
  dns.resolvers[0].addr = "1.1.1.1";
  dns.resolvers[0].use_with_exit_node = true;
  dns.routes = {{"net-a.example.test", {}}};
  dns.domains = {"net-a.example.test"};
  dns.proxied = true;
  map.domain = "net-a.example.test";
  map.collect_services = false;

  FilterRule by_capability = allow_all_rule(), grant;
  by_capability.src_ips = {"cap:x", "100.64.0.9"};
  grant.src_ips = {"*"};
  grant.cap_grant.resize(1);
  grant.cap_grant[0].dsts = {IpPrefix::host(IpAddress::v4(0x64400001))};
  grant.cap_grant[0].cap_map = {{"k", {*RawJson::parse("1")}}};
  map.packet_filters = {{"base", {{allow_all_rule(), by_capability}}}, {"grants", {{grant}}}};

  UserProfile profile;
  profile.id = UserId{1001};
  profile.login_name = "alice@example.test";
  profile.display_name = "Alice";
  profile.groups = {"group:a"};
  map.user_profiles = {profile};
  DisplayMessage message;
  message.title = "Title";
  message.text = "Text";
  message.severity = "low";
  map.display_messages = {{"a", message}};
  SSHRule ssh;
  ssh.principals.resize(1);
  ssh.principals[0].any = true;
  ssh.ssh_users = {{"*", "="}};
  ssh.action.accept = true;
  ssh.action.allow_remote_port_forwarding = true;
  map.ssh_policy.emplace().rules = {ssh};
  map.control_time = *Time::parse("2026-01-02T03:10:00Z");
  map.tka_info.emplace().head = std::string(52, 'A');
  map.domain_data_plane_audit_log_id = "x";
  map.debug.emplace().disable_log_tail = true;
  map.control_dial_plan.emplace();
  map.client_version.emplace().latest_version = "1.98.1";
  map.client_version->urgent_security_update = true;
  map.default_auto_update = true;
  return map;
}

class OneHolder final : public CapabilityHolders {
 public:
  void append(std::string_view capability, std::vector<std::string>& sources) const override {
    if (capability == "x") sources.emplace_back("100.64.0.5");
  }
};

}  // namespace ts2021::test

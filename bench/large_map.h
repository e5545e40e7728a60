// SPDX-License-Identifier: BSD-3-Clause
// A first map of a big tailnet, for the benches of messages: 1,000 peers as real ones look, all different.
#pragma once

#include <array>
#include <string>

#include "ts2021/base/entropy.h"
#include "ts2021/msg/downlevel.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::bench {

class Noise final : public Entropy {
 public:
  void fill(MutableBytes out) noexcept override {
    for (auto& byte : out) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<std::uint8_t>(state_ >> 56);
    }
  }

 private:
  std::uint64_t state_ = 1;
};

template <class Key>
Key random_key(Entropy& entropy) {
  std::array<std::uint8_t, Key::size> bytes;
  entropy.fill(bytes);
  return Key::from_bytes(bytes);
}

inline Node large_map_node(unsigned id, Entropy& entropy) {
  Node node;
  node.id = NodeId{id};
  node.stable_id = "n" + std::to_string(7'000'000 + id) + "CNTRL";
  node.name = "host-" + std::to_string(id) + ".tail0a1b2.example.test.";
  node.user = UserId{1'000 + id % 50};
  node.key = random_key<NodePublic>(entropy);
  node.key_expiry = *Time::parse("2027-05-20T03:04:05.678Z");
  node.machine = random_key<MachinePublic>(entropy);
  node.disco_key = random_key<DiscoPublic>(entropy);
  std::array<std::uint8_t, 16> v6{0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0, 0xab,
                                  0x12, 0x48, 0x43, 0xcd, 0x96, 0x62};
  v6[14] = static_cast<std::uint8_t>(id >> 8);
  v6[15] = static_cast<std::uint8_t>(id);
  node.addresses = {IpPrefix::host(IpAddress::v4(0x64400000 + id)), IpPrefix::host(IpAddress::v6(v6))};
  explicit_allowed_ips(node);
  node.endpoints = {IpPort{IpAddress::v4(0xc0000200 + id % 250), 41641},
                    IpPort{IpAddress::v4(0x0a000000 + id), static_cast<std::uint16_t>(40'000 + id)},
                    IpPort{IpAddress::v6(v6), 41641}};
  set_home_derp(node, 900 + static_cast<int>(id % 5));
  auto& host = node.hostinfo.emplace();
  host.os = "linux";
  host.hostname = "host-" + std::to_string(id);
  host.services = {{"peerapi4", static_cast<std::uint16_t>(50'000 + id), {}},
                   {"peerapi6", static_cast<std::uint16_t>(50'000 + id), {}},
                   {"peerapi-dns-proxy", 1, {}}};
  node.created = *Time::parse("2026-01-02T03:04:05Z");
  node.cap = newest_capability;
  node.online = id % 3 != 0;
  if (id % 3 == 0) node.last_seen = *Time::parse("2026-11-20T13:14:15.9Z");
  node.machine_authorized = true;
  if (id % 4 == 0) node.tags = {"tag:server"};
  node.cap_map = {{"suggest-exit-node", {}}};
  return node;
}

inline MapResponse large_map(unsigned peers) {
  Noise entropy;
  MapResponse map;
  map.node = large_map_node(1, entropy);
  for (unsigned id = 2; id < peers + 2; ++id) map.peers.push_back(large_map_node(id, entropy));
  DERPMap& relays = map.derp_map.emplace();
  relays.regions.emplace();
  for (int id = 900; id < 905; ++id) {
    DERPRegion& region = (*relays.regions)[id];
    region.region_id = id;
    region.region_code = "r" + std::to_string(id);
    region.region_name = "Region " + std::to_string(id);
    region.nodes.resize(1);
    region.nodes[0].name = std::to_string(id) + "a";
    region.nodes[0].region_id = id;
    region.nodes[0].host_name = "derp.example.test";
  }
  map.dns_config.emplace().domains = {"tail0a1b2.example.test"};
  map.dns_config->proxied = true;
  map.domain = "example.test";
  map.collect_services = false;
  map.packet_filters["base"] = {allow_all_rule()};
  for (unsigned id = 0; id < 50; ++id) {
    UserProfile profile;
    profile.id = UserId{1'000 + id};
    profile.login_name = "user" + std::to_string(id) + "@example.test";
    profile.display_name = "User " + std::to_string(id);
    map.user_profiles.push_back(profile);
  }
  map.control_time = *Time::parse("2026-11-23T03:10:00.123Z");
  return map;
}

}  // namespace ts2021::bench

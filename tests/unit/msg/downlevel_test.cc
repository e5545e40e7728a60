// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/downlevel.h"

#include <algorithm>
#include <string>

#include "sample_map.h"
#include "support/catch.h"

namespace ts2021 {
namespace {

MapResponse for_viewer(unsigned capability, MapResponse map = test::sample_map()) {
  const test::OneHolder holder;
  downlevel(map, static_cast<Capability>(capability), &holder);
  return map;
}

TEST_CASE("downlevel: API-70 the home relay in both forms") {
  Node node;
  set_home_derp(node, 900);
  CHECK(node.derp == "127.3.3.40:900");
  CHECK(node.home_derp == 900);
  CHECK(home_derp(node) == 900);
  node.home_derp = 0;
  CHECK(home_derp(node) == 900);
  set_home_derp(node, 0);
  CHECK(node.derp.empty());
  CHECK(home_derp(node) == 0);
  for (const char* text : {"", "127.3.3.40:", "127.3.3.40:x", "127.3.3.40:1x", "127.3.3.41:1",
                           "127.3.3.40:-1", "127.3.3.40:99999999999"})
    CHECK(derp_region(text) == 0);
  set_home_derp(node, 7);
  CHECK(encoded(node, Capability{26}).find(R"("DERP":"127.3.3.40:7")") != std::string::npos);
  CHECK(encoded(node, Capability{110}).find("HomeDERP") == std::string::npos);
  CHECK(encoded(node, Capability{111}).find(R"("DERP":"127.3.3.40:7","HomeDERP":7)") != std::string::npos);
}

TEST_CASE("downlevel: API-71 explicit AllowedIPs below 112") {
  CHECK(for_viewer(111).node->allowed_ips == for_viewer(111).node->addresses);
  CHECK(for_viewer(111).peers[0].allowed_ips == for_viewer(111).peers[0].addresses);
  CHECK_FALSE(for_viewer(112).peers[0].allowed_ips);
  MapResponse nothing;
  nothing.peers_changed = {test::sample_node(2)};
  nothing.peers_changed[0].allowed_ips.emplace();
  CHECK(for_viewer(30, nothing).peers_changed[0].allowed_ips->empty());
}

TEST_CASE("downlevel: API-72 hidden peers") {
  const auto ids = [](unsigned capability) {
    std::string out;
    for (const auto& peer : for_viewer(capability).peers)
      out += std::to_string(static_cast<std::uint64_t>(peer.id));
    return out;
  };
  CHECK(ids(58) == "238");
  CHECK(ids(59) == "2358");
  CHECK(ids(60) == "23458");
  CHECK(ids(93) == "23458");
  CHECK(ids(94) == "234578");
  CHECK(ids(103) == "234578");
  CHECK(ids(104) == "2345678");
}

TEST_CASE("downlevel: API-73 expired peers can't be reached") {
  for (const unsigned capability : {26u, 52u, 53u, 148u}) {
    const Node peer = for_viewer(capability).peers[1];
    CHECK(peer.id == NodeId{3});
    CHECK(peer.endpoints.empty());
    CHECK(home_derp(peer) == 0);
    CHECK(peer.expired == (capability >= 53));
  }
  CHECK(home_derp(for_viewer(148).peers[0]) == 900);
}

TEST_CASE("downlevel: API-74 capabilities as a list below 74") {
  CHECK(for_viewer(73).node->capabilities ==
        std::vector<std::string>{"https", "randomize-client-port", "value"});
  CHECK(for_viewer(73).node->cap_map.empty());
  CHECK(for_viewer(74).node->capabilities.empty());
  CHECK(for_viewer(74).node->cap_map.size() == 3);
  MapResponse both;
  both.node = test::sample_node(1);
  both.node->capabilities = {"https"};
  both.node->cap_map = {{"https", {}}};
  CHECK(for_viewer(73, both).node->capabilities.size() == 1);
}

TEST_CASE("downlevel: API-75 who understands which patch") {
  // In the order of sample_map(): relay, endpoints, key, signature, disco, online, seen, expiry, cap, capmap.
  const unsigned needed[] = {33, 33, 36, 40, 36, 36, 36, 36, 54, 74};
  const auto patches = test::sample_map().peers_changed_patch;
  REQUIRE(patches.size() == std::size(needed));
  for (std::size_t i = 0; i < patches.size(); ++i) {
    INFO(i);
    CHECK_FALSE(patch_fits(patches[i], static_cast<Capability>(needed[i] - 1)));
    CHECK(patch_fits(patches[i], static_cast<Capability>(needed[i])));
    CHECK(patch_fits(patches[i], any_capability));
  }
  PeerChange cleared;
  cleared.endpoints.emplace();
  CHECK_FALSE(patch_fits(cleared, any_capability));
  CHECK(for_viewer(32).peers_changed_patch.empty());
  CHECK(for_viewer(33).peers_changed_patch.size() == 2);
  CHECK(for_viewer(148).peers_changed_patch.size() == 10);
}

TEST_CASE("downlevel: API-76 filter rules") {
  CHECK(for_viewer(31).packet_filter->size() == 2);
  CHECK(for_viewer(32).packet_filter->size() == 3);
  const auto grant = [](unsigned capability) {
    return for_viewer(capability).packet_filter->back().cap_grant.at(0);
  };
  CHECK(grant(66).caps == std::vector<std::string>{"k"});
  CHECK(grant(66).cap_map.empty());
  CHECK(grant(67).caps.empty());
  CHECK(grant(67).cap_map.size() == 1);
  const auto sources = [](unsigned capability) {
    const auto map = for_viewer(capability);
    return (capability < 81 ? *map.packet_filter : *map.packet_filters.at("base")).at(1).src_ips;
  };
  CHECK(sources(80) == std::vector<std::string>{"100.64.0.5", "100.64.0.9"});
  CHECK(sources(108) == std::vector<std::string>{"100.64.0.5", "100.64.0.9"});
  CHECK(sources(109) == std::vector<std::string>{"cap:x", "100.64.0.9"});

  FilterRule only = allow_all_rule();
  only.src_ips = {"cap:nobody"};
  const test::OneHolder holder;
  CHECK(rules_for({only}, Capability{108}, &holder).empty());
  CHECK(rules_for({only}, Capability{108}).empty());
  CHECK(rules_for({only}, Capability{109}).size() == 1);
}

TEST_CASE("downlevel: API-76 who holds a capability stands in its place, once") {
  const test::OneHolder holder;
  FilterRule rule = allow_all_rule(), other = allow_all_rule(), nobody = allow_all_rule();
  rule.src_ips = {"cap:x", "100.64.0.9", "cap:nobody", "100.64.0.5", "cap:x"};
  nobody.src_ips = {"cap:nobody"};
  const auto rules = expand_sources({rule, nobody, other}, &holder);
  REQUIRE(rules.size() == 2);
  CHECK(rules[0].src_ips == std::vector<std::string>{"100.64.0.5", "100.64.0.9"});
  CHECK(rules[0].dst_ports == rule.dst_ports);
  CHECK(rules[1] == other);
  REQUIRE(expand_sources({rule, nobody, other}, nullptr).size() == 2);
  CHECK(expand_sources({rule}, nullptr)[0].src_ips == std::vector<std::string>{"100.64.0.9", "100.64.0.5"});
}

TEST_CASE("downlevel: one packet filter below 81, named ones from there") {
  CHECK(for_viewer(80).packet_filters.empty());
  CHECK(for_viewer(80).packet_filter->size() == 3);
  CHECK(for_viewer(81).packet_filters.size() == 2);
  CHECK_FALSE(for_viewer(81).packet_filter);
  MapResponse nothing;
  nothing.packet_filters["base"].emplace();
  CHECK(for_viewer(80, nothing).packet_filter == std::vector<FilterRule>{});
  CHECK(joined({{"b", {{allow_all_rule()}}}, {"a", {}}, {"c", std::nullopt}}).size() == 1);
}

TEST_CASE("downlevel: health texts below 117") {
  CHECK(for_viewer(116).health == std::vector<std::string>{"Title: Text"});
  CHECK(for_viewer(116).display_messages.empty());
  CHECK_FALSE(for_viewer(117).health);
  CHECK(for_viewer(117).display_messages.size() == 1);
  MapResponse both = test::sample_map();
  both.health = {"old"};
  CHECK(for_viewer(116, both).health->size() == 2);
  CHECK_FALSE(for_viewer(117, both).health);
  MapResponse only;
  only.health = {"old"};
  CHECK(for_viewer(117, only).health->size() == 1);
}

TEST_CASE("downlevel: no relay map without regions below 65") {
  MapResponse partial;
  partial.derp_map.emplace().home_params.emplace();
  CHECK_FALSE(for_viewer(64, partial).derp_map);
  CHECK(for_viewer(65, partial).derp_map);
  CHECK(for_viewer(64).derp_map);
}

TEST_CASE("downlevel: API-78 automatic updates as a member, then as a capability") {
  const auto said = [](unsigned capability) {
    return encoded(for_viewer(capability), static_cast<Capability>(capability));
  };
  const std::string member = R"("DefaultAutoUpdate":true)", capability = R"("default-auto-update":[true])";
  for (const unsigned number : {26u, 82u}) {
    CHECK(said(number).find(member) == std::string::npos);
    CHECK(said(number).find(capability) == std::string::npos);
  }
  for (const unsigned number : {83u, 130u}) {
    CHECK(said(number).find(member) != std::string::npos);
    CHECK(said(number).find(capability) == std::string::npos);
  }
  CHECK(said(131).find(member) == std::string::npos);
  CHECK(said(131).find(capability) != std::string::npos);
  MapResponse off = test::sample_map();
  off.default_auto_update = false;
  CHECK(for_viewer(131, off).node->cap_map.at("default-auto-update").at(0).text() == "false");
  MapResponse without_self;
  without_self.default_auto_update = true;
  CHECK_FALSE(for_viewer(131, without_self).node);
}

TEST_CASE("downlevel: API-79 knobs as members of Debug below 70") {
  MapResponse map;
  map.node = test::sample_node(1);
  map.node->cap_map = {
      {"debug-always-stun", {}},           {"randomize-client-port", {}}, {"debug-no-wg-trim", {}},
      {"debug-disable-upnp", {}},          {"one-cgnat?v=false", {}},     {"silent-disco", {}},
      {"debug-disable-subnets-if-pac", {}}};
  const auto debug = [&](unsigned capability) {
    const auto fitted = for_viewer(capability, map);
    return fitted.debug ? encoded(*fitted.debug, static_cast<Capability>(capability)) : std::string();
  };
  const std::string common = R"("TrimWGConfig":false,"DisableSubnetsIfPAC":true,"DisableUPnP":true)";
  CHECK(debug(26) == R"({"ForceBackgroundSTUN":true,"RandomizeClientPort":true,)" + common + "}");
  CHECK(debug(36) == debug(26));
  CHECK(debug(37) == R"({"SetForceBackgroundSTUN":true,"SetRandomizeClientPort":true,)" + common +
                         R"(,"OneCGNATRoute":false,"EnableSilentDisco":true})");
  CHECK(debug(69) == debug(37));
  CHECK(debug(70).empty());
  map.node->cap_map = {{"one-cgnat?v=true", {}}};
  CHECK(debug(69) == R"({"OneCGNATRoute":true})");
  map.debug.emplace().disable_log_tail = true;
  CHECK(debug(69) == R"({"DisableLogTail":true,"OneCGNATRoute":true})");
  map.node->cap_map.clear();
  map.node->capabilities = {"silent-disco"};
  CHECK(debug(69) == R"({"DisableLogTail":true,"EnableSilentDisco":true})");
  map.node.reset();
  CHECK(debug(69) == R"({"DisableLogTail":true})");
}

// The rows that are a member's presence only.
TEST_CASE("downlevel: members that older clients do not get") {
  struct Row {
    std::string_view member;
    unsigned since;
  };
  for (const Row row : {Row{R"("SSHPolicy":)", 27}, Row{R"("TKAInfo":)", 51}, Row{R"("HomeDERP":)", 111},
                        Row{R"("CapMap":)", 67}, Row{R"("PeersChangedPatch":)", 33},
                        Row{R"("PacketFilters":)", 81}, Row{R"("DisplayMessages":)", 117}}) {
    INFO(row.member);
    const auto has = [&](unsigned number) {
      return encoded(for_viewer(number), static_cast<Capability>(number)).find(row.member) !=
             std::string::npos;
    };
    CHECK_FALSE(has(row.since - 1));
    CHECK(has(row.since));
    CHECK(has(148));
  }
}

}  // namespace
}  // namespace ts2021

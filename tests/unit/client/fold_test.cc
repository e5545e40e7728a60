// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/client/fold.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;

namespace {

Node node_of(int number) {
  Node node;
  node.id = NodeId(static_cast<std::uint64_t>(number));
  node.stable_id = "n" + std::to_string(number);
  node.name = node.stable_id + ".test.";
  node.user = UserId{1};
  std::array<std::uint8_t, 32> key{};
  key[0] = static_cast<std::uint8_t>(number);
  node.key = NodePublic::from_bytes(key);
  node.addresses = {IpPrefix::host(IpAddress::v4(0x64400000u + static_cast<std::uint32_t>(number)))};
  node.allowed_ips = node.addresses;
  return node;
}

UserProfile owner() {
  UserProfile profile;
  profile.id = UserId{1};
  profile.login_name = "owner@test";
  return profile;
}

MapResponse first(int peers) {
  MapResponse message;
  message.node = node_of(1);
  message.user_profiles = {owner()};
  for (int i = 0; i < peers; ++i) message.peers.push_back(node_of(2 + i));
  return message;
}

// What the fold says of the message after a first one with two peers.
std::vector<Finding> after_first(MapResponse message, Capability viewer = newest_capability) {
  Fold fold(viewer);
  REQUIRE(fold.apply(first(2)).empty());
  const auto found = fold.apply(std::move(message));
  return {found.begin(), found.end()};
}

std::string rules(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) (text += text.empty() ? "" : " ") += finding.rule;
  return text;
}

std::vector<NodeId> ids(const Netmap& map) {
  std::vector<NodeId> out;
  for (const auto& [id, peer] : map.peers) out.push_back(id);
  return out;
}

}  // namespace

// Streams of real clients, as test servers and ours sent them: a client that took them must find nothing that
// harms it.
TEST_CASE("recorded streams fold without harm") {
  namespace fs = std::filesystem;
  const std::map<std::string, int> versions{{"v1.24.2", 34},  {"v1.40.1", 61},  {"v1.60.1", 87},
                                            {"v1.80.3", 113}, {"v1.98.1", 138}, {"v1.104.5", 148}};
  for (const auto& [client, version] : versions) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(test::vector_path("msg/captures/" + client)))
      if (entry.path().filename().string().find("map-res") != std::string::npos)
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::map<std::string, Fold> streams;  // by the number of their request
    for (const fs::path& file : files) {
      INFO(client << " " << file.filename().string());
      const auto text = test::read_file(file.string());
      auto message = decode_copy<MapResponse>(text);
      REQUIRE(message);
      Fold& fold =
          streams.try_emplace(file.filename().string().substr(0, 3), Capability(version)).first->second;
      if (fold.messages() == 0 && !message->node) continue;  // the recording keeps one message of a kind
      for (const Finding& finding : fold.apply(std::move(*message))) {
        INFO(finding.rule << ": " << finding.text);
        CHECK(finding.harm == Harm::none);
      }
    }
    REQUIRE_FALSE(streams.empty());
    for (const auto& [request, fold] : streams)
      if (fold.messages() > fold.keep_alives()) CHECK(fold.netmap().self.has_value());
  }
}

TEST_CASE("MAP-21: without the node itself there is no map") {
  Fold fold;
  MapResponse message;
  message.domain = "test";
  const auto found = fold.apply(message);
  REQUIRE(found.size() == 1);
  CHECK(found[0].rule == "MAP-21");
  CHECK(found[0].harm == Harm::stream);
  CHECK(fold.netmap() == Netmap{});
}

TEST_CASE("MAP-6: a keep-alive changes nothing") {
  Fold fold;
  fold.apply(first(1));
  const Netmap before = fold.netmap();
  MapResponse message;
  message.keep_alive = true;
  CHECK(fold.apply(message).empty());
  CHECK(fold.keep_alives() == 1);
  message.peers_removed = {NodeId{2}};
  CHECK(rules({fold.apply(message).begin(), fold.apply(message).end()}) == "MAP-6");
  CHECK(fold.netmap() == before);
}

TEST_CASE("MAP-22: a list of peers replaces all of them, an empty one none") {
  Fold fold;
  fold.apply(first(3));
  CHECK(fold.apply(MapResponse()).empty());
  CHECK(ids(fold.netmap()) == std::vector<NodeId>{NodeId{2}, NodeId{3}, NodeId{4}});
  MapResponse message;
  message.peers = {node_of(4), node_of(7)};
  message.peers_removed = {NodeId{7}};
  const auto found = fold.apply(message);
  CHECK(rules({found.begin(), found.end()}) == "MAP-22");
  CHECK(ids(fold.netmap()) == std::vector<NodeId>{NodeId{4}, NodeId{7}});
}

TEST_CASE("MAP-66: changes of one message come in their order") {
  Fold fold;
  fold.apply(first(2));
  MapResponse message;
  message.control_time = Time(WallTime(std::chrono::hours(500'000)));
  message.peers_removed = {NodeId{2}};
  message.peers_changed = {node_of(2), node_of(9)};  // so 2 is there again
  message.peer_seen_change = {{NodeId{9}, true}};
  message.online_change = {{NodeId{9}, true}, {NodeId{3}, true}};
  PeerChange change;
  change.node_id = NodeId{9};
  change.online = false;  // wins
  change.derp_region = 5;
  message.peers_changed_patch = {change};
  const auto found = fold.apply(message);
  CHECK(rules({found.begin(), found.end()}) == "MAP-66 MAP-66 MAP-66");  // real clients differ
  const auto& peers = fold.netmap().peers;
  REQUIRE(ids(fold.netmap()) == std::vector<NodeId>{NodeId{2}, NodeId{3}, NodeId{9}});
  CHECK(peers.at(NodeId{9}).online == false);
  CHECK(peers.at(NodeId{9}).last_seen == message.control_time);
  CHECK(peers.at(NodeId{9}).home_derp == 5);
  CHECK(peers.at(NodeId{3}).online == true);
  CHECK_FALSE(peers.at(NodeId{2}).online);

  // Each kind alone is in order.
  MapResponse seen;
  seen.peer_seen_change = {{NodeId{9}, false}};
  seen.peers_removed = {NodeId{3}};
  seen.peers_changed = {node_of(4)};
  CHECK(fold.apply(seen).empty());
  CHECK(peers.at(NodeId{9}).last_seen.is_zero());
  CHECK(ids(fold.netmap()) == std::vector<NodeId>{NodeId{2}, NodeId{4}, NodeId{9}});
}

TEST_CASE("MAP-25: an empty list of endpoints in a patch clears them, as at Go clients") {
  Fold fold;
  MapResponse message = first(1);
  message.peers[0].endpoints = {*IpPort::parse("192.0.2.1:41641")};
  fold.apply(message);
  MapResponse clear;
  clear.peers_changed_patch.emplace_back().node_id = NodeId{2};
  CHECK(fold.apply(clear).empty());
  CHECK(fold.netmap().peers.at(NodeId{2}).endpoints.size() == 1);  // none is told
  clear.peers_changed_patch[0].endpoints.emplace();
  const auto found = fold.apply(clear);
  CHECK(rules({found.begin(), found.end()}) == "MAP-25");
  CHECK(fold.netmap().peers.at(NodeId{2}).endpoints.empty());
}

TEST_CASE("a patch, a removal and a presence of an unknown peer make none") {
  Fold fold;
  fold.apply(first(1));
  MapResponse message;
  message.peers_removed = {NodeId{99}};
  message.online_change = {{NodeId{99}, true}};
  message.peer_seen_change = {{NodeId{99}, true}};
  message.peers_changed_patch.emplace_back().node_id = NodeId{99};
  fold.apply(message);
  CHECK(ids(fold.netmap()) == std::vector<NodeId>{NodeId{2}});
}

TEST_CASE("MAP-24: a profile may come with its peer, and is replaced by a newer one") {
  Fold fold;
  fold.apply(first(1));
  MapResponse message;
  message.peers_changed = {node_of(5)};
  message.peers_changed[0].user = UserId{7};
  message.user_profiles = {owner()};
  message.user_profiles[0].id = UserId{7};
  CHECK(fold.apply(message).empty());
  MapResponse later;
  later.user_profiles = message.user_profiles;
  later.user_profiles[0].login_name = "renamed@test";
  CHECK(fold.apply(later).empty());
  CHECK(fold.netmap().profiles.at(UserId{7}).login_name == "renamed@test");
  CHECK(fold.netmap().profiles.size() == 2);
}

TEST_CASE("what keeps its value does so until it comes again") {
  Fold fold;
  MapResponse message = first(0);
  message.domain = "test";
  message.domain_data_plane_audit_log_id = "log";
  message.dns_config.emplace().proxied = true;
  message.collect_services = true;
  message.ssh_policy.emplace();
  message.client_version.emplace().running_latest = true;
  message.control_dial_plan.emplace();
  message.health = std::vector<std::string>{"ill"};
  message.control_time = Time(WallTime(std::chrono::hours(500'000)));
  message.tka_info.emplace().disabled = true;
  message.default_auto_update = true;
  fold.apply(message);
  const Netmap before = fold.netmap();
  CHECK(fold.apply(MapResponse()).empty());
  CHECK(fold.netmap() == before);
  CHECK(before.domain == "test");
  CHECK(before.audit_log_id == "log");
  CHECK(before.dns->proxied);
  CHECK(before.collect_services == true);
  CHECK(before.ssh);
  CHECK(before.client_version->running_latest);
  CHECK(before.dial_plan);
  CHECK(before.health == std::vector<std::string>{"ill"});
  CHECK(before.control_time == message.control_time.at);
  CHECK(before.lock->disabled);
  CHECK(before.default_auto_update == true);
  MapResponse self;
  self.node = node_of(1);
  self.node->name = "renamed.test.";
  self.dns_config.emplace().domains = {"renamed.test"};
  self.health.emplace();
  fold.apply(self);
  CHECK(fold.netmap().dns->domains == self.dns_config->domains);
  CHECK_FALSE(fold.netmap().dns->proxied);  // whole, not in parts
  CHECK(fold.netmap().health == std::vector<std::string>{});
  CHECK(fold.netmap().self->name == "renamed.test.");
}

TEST_CASE("every member of a patch replaces what it names, and nothing else") {
  Fold fold;
  fold.apply(first(1));
  const Node before = fold.netmap().peers.at(NodeId{2});
  PeerChange change;
  change.node_id = NodeId{2};
  change.cap = Capability{100};
  change.cap_map = CapMap{{"x", {}}};
  change.endpoints = std::vector<IpPort>{*IpPort::parse("192.0.2.1:41641")};
  change.key = node_of(77).key;
  change.key_signature = Blob{{1, 2, 3}};
  std::array<std::uint8_t, 32> disco{};
  disco[5] = 9;
  change.disco_key = DiscoPublic::from_bytes(disco);
  change.online = true;
  change.last_seen = Time(WallTime(std::chrono::hours(400'000)));
  change.key_expiry = Time(WallTime(std::chrono::hours(600'000)));
  MapResponse message;
  message.peers_changed_patch = {change};
  CHECK(fold.apply(message).empty());
  Node after = fold.netmap().peers.at(NodeId{2});
  CHECK(after.cap == *change.cap);
  CHECK(after.cap_map == *change.cap_map);
  CHECK(after.endpoints == *change.endpoints);
  CHECK(after.key == *change.key);
  CHECK(after.key_signature == *change.key_signature);
  CHECK(after.disco_key == *change.disco_key);
  CHECK(after.online == true);
  CHECK(after.last_seen == *change.last_seen);
  CHECK(after.key_expiry == *change.key_expiry);
  CHECK(after.name == before.name);
  CHECK(after.addresses == before.addresses);
}

TEST_CASE("MAP-61, MAP-62: what is sent in parts stays in parts") {
  Fold fold;
  MapResponse message = first(0);
  message.derp_map.emplace().regions.emplace();
  (*message.derp_map->regions)[7].region_id = 7;
  FilterRule all;
  all.src_ips = {"*"};
  FilterRule one = all;
  one.src_ips = {"100.64.0.1"};
  message.packet_filters = {{"b", std::vector{all}}, {"a", std::vector{one}}};
  CHECK_FALSE(fold.netmap().filter);
  fold.apply(message);
  REQUIRE(fold.netmap().filter);
  CHECK(*fold.netmap().filter == std::vector{one, all});

  MapResponse next;
  next.derp_map.emplace().home_params.emplace();
  next.packet_filters = {{"a", std::nullopt}};
  fold.apply(next);
  CHECK(fold.netmap().derp_map->regions->size() == 1);
  CHECK(fold.netmap().derp_map->home_params);
  MapResponse moved;
  moved.derp_map.emplace().regions.emplace()[9].region_id = 9;
  fold.apply(moved);
  CHECK(fold.netmap().derp_map->home_params);
  CHECK(fold.netmap().derp_map->regions->begin()->first == 9);
  CHECK(*fold.netmap().filter == std::vector{all});

  MapResponse last;
  last.packet_filters = {{"*", std::nullopt}, {"c", std::vector{one}}};
  fold.apply(last);
  CHECK(*fold.netmap().filter == std::vector{one});
  MapResponse block;
  block.packet_filters = {{"*", std::nullopt}};
  fold.apply(block);
  CHECK(fold.netmap().filter->empty());
}

TEST_CASE("MAP-62: the one list is the chunk of the name base, among the others") {
  Fold fold;
  FilterRule one, other;
  one.src_ips = {"100.64.0.1"};
  other.src_ips = {"100.64.0.2"};
  MapResponse message = first(0);
  message.packet_filters = {{"a", std::vector{one}}, {"base", std::vector{one}}};
  fold.apply(message);
  MapResponse list;
  list.packet_filter = std::vector{other};
  fold.apply(list);
  CHECK(*fold.netmap().filter == std::vector{one, other});
  // Before what the same message says of names.
  list.packet_filters = {{"*", std::nullopt}, {"c", std::vector{one}}};
  fold.apply(list);
  CHECK(*fold.netmap().filter == std::vector{one});
}

TEST_CASE("MAP-63: messages add up") {
  Fold fold;
  MapResponse message = first(0);
  message.display_messages["a"].emplace().severity = "high";
  message.display_messages["b"].emplace().severity = "low";
  CHECK(fold.apply(message).empty());
  MapResponse next;
  next.display_messages["a"] = std::nullopt;
  next.display_messages["c"].emplace().severity = "fatal";
  const auto found = fold.apply(next);
  CHECK(rules({found.begin(), found.end()}) == "MAP-63");
  CHECK(fold.netmap().display_messages.size() == 2);
  MapResponse last;
  last.display_messages["*"] = std::nullopt;
  fold.apply(last);
  CHECK(fold.netmap().display_messages.empty());
}

TEST_CASE("MAP-64: the same ping twice is carried out once") {
  Fold fold;
  MapResponse message = first(0);
  message.ping_request.emplace().url = "http://control/ping/1";
  CHECK(fold.apply(message).empty());
  MapResponse again;
  again.keep_alive = true;
  again.ping_request = message.ping_request;
  const auto found = fold.apply(again);
  CHECK(rules({found.begin(), found.end()}) == "MAP-64");
}

TEST_CASE("each contradiction has the name of its rule") {
  struct Case {
    const char* what;
    const char* rule;
    void (*make)(MapResponse&);
    Capability viewer = newest_capability;
  };
  const Case cases[] = {
      {"an unknown peer removed", "MAP-26", [](MapResponse& m) { m.peers_removed = {NodeId{99}}; }},
      {"an unknown peer patched", "MAP-66",
       [](MapResponse& m) { m.peers_changed_patch.emplace_back().node_id = NodeId{99}; }},
      {"an unknown peer online", "MAP-66", [](MapResponse& m) { m.online_change[NodeId{99}] = true; }},
      {"an unknown peer seen", "MAP-66", [](MapResponse& m) { m.peer_seen_change[NodeId{99}] = true; }},
      {"its own peer", "MAP-65", [](MapResponse& m) { m.peers_changed = {node_of(1)}; }},
      {"not in order", "MAP-65",
       [](MapResponse& m) {
         m.peers = {node_of(3), node_of(2)};
       }},
      {"no profile", "MAP-24",
       [](MapResponse& m) {
         m.peers_changed = {node_of(5)};
         m.peers_changed[0].user = UserId{9};
       }},
      {"an empty patch of endpoints", "MAP-25",
       [](MapResponse& m) {
         m.peers_changed_patch.emplace_back().node_id = NodeId{2};
         m.peers_changed_patch[0].endpoints.emplace();
       }},
      {"host bits", "MAP-40",
       [](MapResponse& m) {
         m.peers_changed = {node_of(5)};
         m.peers_changed[0].allowed_ips->push_back(*IpPrefix::parse("10.1.2.3/8"));
       }},
      {"one route twice", "MAP-42",
       [](MapResponse& m) {
         m.peers_changed = {node_of(5), node_of(6)};
         for (Node& node : m.peers_changed) node.allowed_ips->push_back(*IpPrefix::parse("10.0.0.0/8"));
       }},
      {"no AllowedIPs for an old client", "API-71",
       [](MapResponse& m) {
         m.peers_changed = {node_of(5)};
         m.peers_changed[0].allowed_ips.reset();
       },
       Capability{100}},
      {"a source by capability for an old client", "API-76",
       [](MapResponse& m) {
         m.packet_filters["base"].emplace().emplace_back().src_ips = {"cap:x"};
         m.packet_filters["base"]->back().dst_ports.emplace_back().ip = "*";
       },
       Capability{100}},
      {"the head of a lock", "MAP-60", [](MapResponse& m) { m.tka_info.emplace().head = "nonsense"; }},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    MapResponse message;
    one.make(message);
    CHECK(rules(after_first(message, one.viewer)) == one.rule);
  }
}

TEST_CASE("MAP-67: no sender makes a fold grow without bound") {
  Fold fold(newest_capability, {.peers = 3, .profiles = 2, .filter_chunks = 2, .messages = 2, .findings = 5});
  fold.apply(first(2));
  MapResponse message;
  for (int i = 10; i < 60; ++i) {
    message.peers_changed.push_back(node_of(i));
    message.user_profiles.push_back(owner());
    message.user_profiles.back().id = UserId(static_cast<std::uint64_t>(i));
    message.packet_filters[std::to_string(i)].emplace();
    message.display_messages[std::to_string(i)].emplace().severity = "low";
  }
  const auto found = fold.apply(message);
  CHECK(found.size() == 5);
  CHECK(std::all_of(found.begin(), found.end(), [](const Finding& one) { return one.rule == "MAP-67"; }));
  CHECK(fold.netmap().peers.size() == 3);
  CHECK(fold.netmap().profiles.size() == 2);
  CHECK(fold.netmap().display_messages.size() == 2);
}

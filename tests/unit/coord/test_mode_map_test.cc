// SPDX-License-Identifier: BSD-3-Clause
// What maps say in test mode, and when.
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/strict_fold.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;

CoordinatorConfig test_config() {
  auto config = desk_config();
  config.test_mode = true;
  return config;
}

struct Lab {
  Desk desk;
  Client alice{desk, 1}, bob{desk, 2};

  explicit Lab(CoordinatorConfig config = test_config()) : desk(std::move(config)) {
    for (auto* client : {&alice, &bob}) {
      client->enroll();
      client->start_poll();
    }
    settle();
  }
  void settle() {
    desk.pump();
    (void)alice.read_all();
    (void)bob.read_all();
  }
  void order(CoordOrder what, bool wake = true) {
    desk.coordinator.handle(CoordCommand{CommandId{900}, std::move(what), wake}, desk.clock.now);
    desk.pump();
    REQUIRE(desk.done.at(CommandId{900}).status == 200);
  }
  void set(Rules rules) { order(coord_command::SetRules{std::move(rules)}); }
  [[nodiscard]] NodeId id(const Client& client) const { return desk.record(client.node_key)->id; }
  // The frame that must have come, alone; no time has passed.
  static MapResponse frame_of(Client& client) {
    client.desk->pump();
    auto messages = client.read_all();
    REQUIRE(messages.size() == 1);
    return std::move(messages.front());
  }
  [[nodiscard]] std::string preview(const Client& client) const {
    return desk.coordinator.map_preview(id(client), desk.clock.now);
  }
};

MapResponse decoded(const std::string& json) {
  auto message = decode_copy<MapResponse>(as_bytes(json));
  REQUIRE(message);
  return std::move(*message);
}

void is_complete(const MapResponse& frame) {
  CHECK(frame.node);
  CHECK(frame.peers.size() == 1);
  CHECK(frame.user_profiles.size() == 2);
  CHECK(frame.domain == "fake-control.example.net");
  CHECK(frame.collect_services == OptBool(true));
  CHECK(frame.packet_filter);
  CHECK(!(frame.debug && frame.debug->disable_log_tail));
  CHECK(frame.control_time.text() == "2020-08-03T00:00:00Z");  // cut by our reader
}

}  // namespace

TEST_CASE("TEST-31: every order brings everybody a whole map at once, though nothing has changed") {
  Lab lab;
  for (int i = 0; i < 5; ++i) {
    lab.order(coord_command::SetJailed{lab.id(lab.alice), lab.id(lab.bob), false});
    for (auto* client : {&lab.alice, &lab.bob}) {
      const auto frame = Lab::frame_of(*client);
      is_complete(frame);
      CHECK(frame.derp_map);
    }
  }
}

TEST_CASE("TEST-31: an order that is not to wake leaves all to the next one that does") {
  Lab lab;
  const CapMap caps{{"x", {}}};
  lab.order(coord_command::OverrideCapabilities{lab.id(lab.bob), caps}, false);
  lab.desk.advance(milliseconds{1'000});
  CHECK(lab.alice.read_all().empty());
  CHECK(lab.bob.read_all().empty());
  lab.order(coord_command::SetAppCaps{});
  CHECK(Lab::frame_of(lab.alice).peers.at(0).cap_map == caps);
  CHECK(Lab::frame_of(lab.bob).node->cap_map == caps);
}

TEST_CASE("TEST-31: an order that is refused wakes nobody, a question to a node neither") {
  Lab lab;
  const CommandId refused = lab.desk.order(coord_command::SetJailed{NodeId{99}, NodeId{98}, true});
  lab.desk.pump();
  CHECK(lab.desk.done.at(refused).status == 404);
  CHECK(lab.alice.read_all().empty());
  (void)lab.desk.order(coord_command::Ping{lab.id(lab.alice), {}, {}});
  const auto ping = Lab::frame_of(lab.alice);
  CHECK(ping.ping_request);
  CHECK(!ping.node);
  CHECK(lab.bob.read_all().empty());
}

TEST_CASE("TEST-31: what a node tells wakes all, itself too; what it only reads wakes nobody") {
  Lab lab;
  for (int i = 0; i < 3; ++i) {  // the second and third time nothing is new
    CHECK(lab.alice.update().ended);
    for (auto* client : {&lab.alice, &lab.bob}) {
      const auto frame = Lab::frame_of(*client);
      is_complete(frame);
      CHECK(!frame.derp_map);  // or a client that answers it with an update would never end
    }
  }
  lab.alice.start_poll();
  CHECK(Lab::frame_of(lab.bob).node);
  CHECK(Lab::frame_of(lab.alice).derp_map);
  MapRequest request = lab.alice.map_request();
  request.read_only = true;
  request.version = Capability{60};
  request.endpoints = {IpPort{IpAddress::v4(1), 1}};
  const auto stored = lab.desk.coordinator.node_json(lab.id(lab.alice));
  const CallId read = lab.desk.send(lab.alice.session, request);
  lab.desk.pump();
  is_complete(lab.desk.only(lab.alice.session, read));
  CHECK(lab.bob.read_all().empty());
  CHECK(lab.desk.coordinator.node_json(lab.id(lab.alice)) == stored);
}

TEST_CASE("TEST-31: a wake while a frame is under way brings another one behind it") {
  Lab lab;
  lab.desk.slow[lab.alice.session] = true;
  lab.order(coord_command::SetAppCaps{});
  lab.order(coord_command::SetAppCaps{});
  lab.order(coord_command::SetAppCaps{});
  CHECK(lab.alice.read_all().size() == 1);
  lab.desk.take(lab.alice.session, lab.alice.poll);
  CHECK(Lab::frame_of(lab.alice).derp_map);
  lab.desk.take(lab.alice.session, lab.alice.poll);
  lab.desk.advance(milliseconds{500});
  CHECK(lab.alice.read_all().empty());
}

TEST_CASE("TEST-31: whole maps name the last peer that is gone, and undo what was taken away") {
  Lab lab;
  StrictFold fold;
  DNSConfig dns;
  dns.proxied = true;
  lab.order(coord_command::SetDnsConfig{dns});
  lab.order(coord_command::SetDERPMap{});
  lab.order(coord_command::DeleteNode{lab.id(lab.bob)});
  for (const auto& message : lab.alice.read_all()) REQUIRE(fold.apply(message) == "");
  CHECK(fold->peers.empty());
  CHECK(fold->dns->proxied);
  CHECK(fold->derp_map->regions->empty());
  lab.order(coord_command::SetDnsConfig{});
  const auto undone = Lab::frame_of(lab.alice);
  CHECK(undone.dns_config == DNSConfig{});
  lab.order(coord_command::SetAppCaps{});
  CHECK(!Lab::frame_of(lab.alice).dns_config);
}

TEST_CASE("TEST-35, TEST-36, TEST-37: how nodes are shown") {
  Lab lab;
  const CapMap stored = lab.desk.record(lab.bob.node_key)->capabilities;
  std::vector<std::string> names;
  for (const auto& [name, values] : stored) names.push_back(name);
  lab.order(coord_command::ApproveNode{lab.id(lab.bob), false});
  auto map = Lab::frame_of(lab.alice);
  const Node& peer = map.peers.at(0);
  CHECK(!peer.machine_authorized);
  CHECK(!peer.online.has_value());
  CHECK(peer.last_seen.is_zero());
  CHECK(peer.capabilities == names);
  CHECK(peer.cap_map == stored);
  auto own = *Lab::frame_of(lab.bob).node;
  CHECK(own.cap_map.empty());
  REQUIRE(!own.capabilities.empty());
  CHECK(own.capabilities.back() == "debug-disable-upnp");
  own.capabilities.pop_back();
  CHECK(own.capabilities == names);

  lab.order(coord_command::OverrideCapabilities{lab.id(lab.bob), CapMap{{"only", {}}}});
  map = Lab::frame_of(lab.alice);
  CHECK(map.peers.at(0).cap_map == CapMap{{"only", {}}});
  CHECK(map.peers.at(0).capabilities == names);
  own = *Lab::frame_of(lab.bob).node;
  CHECK(own.cap_map == CapMap{{"only", {}}});
  CHECK(own.capabilities.size() == names.size() + 1);

  // The exact moment that tests look for.
  CHECK(lab.preview(lab.bob).find(R"("ControlTime":"2020-08-03T00:00:00.000000001Z")") != std::string::npos);
}

TEST_CASE("TEST-39: the filter lets all in, and grants what funnels and relays need") {
  Lab lab;
  auto filter = *decoded(lab.preview(lab.alice)).packet_filter;
  REQUIRE(filter.size() == 2);
  CHECK(filter[0] == allow_all_rule());
  CHECK(filter[1].src_ips == std::vector<std::string>{"*"});
  CHECK(filter[1].cap_grant.at(0).dsts ==
        std::vector{*IpPrefix::parse("0.0.0.0/0"), *IpPrefix::parse("::/0")});
  CHECK(filter[1].cap_grant.at(0).caps == std::vector<std::string>{"https://tailscale.com/cap/ingress"});
  Rules rules;
  rules.peer_relay_grants = true;
  lab.set(rules);
  filter = *Lab::frame_of(lab.alice).packet_filter;
  CHECK(filter.at(1).cap_grant.at(0).caps == std::vector<std::string>{"https://tailscale.com/cap/ingress",
                                                                      "tailscale.com/cap/relay",
                                                                      "tailscale.com/cap/relay-target"});
}

TEST_CASE("TEST-37, TEST-38: rules that maps follow") {
  Lab lab;
  Rules rules;
  rules.all_online = true;
  rules.collect_services = false;
  lab.set(rules);
  auto frame = Lab::frame_of(lab.alice);
  CHECK(frame.peers.at(0).online == OptBool(true));
  CHECK(frame.collect_services == OptBool(false));

  rules.expire_all = true;
  lab.set(rules);
  frame = Lab::frame_of(lab.alice);
  const WallTime moment = lab.desk.clock.now.wall - std::chrono::minutes{1};
  CHECK(frame.node->key_expiry.at == moment);
  CHECK(frame.peers.at(0).key_expiry.at == moment);
  CHECK(frame.peers.at(0).expired);
  CHECK(frame.peers.at(0).endpoints.empty());
  lab.desk.clock.advance(milliseconds{5'000});
  lab.set(rules);
  CHECK(Lab::frame_of(lab.alice).node->key_expiry.at == moment);
  CHECK(decode_copy<Node>(as_bytes(lab.desk.coordinator.node_json(lab.id(lab.alice))))->key_expiry.is_zero());
  rules.expire_all = false;
  lab.set(rules);
  frame = Lab::frame_of(lab.alice);
  CHECK(frame.node->key_expiry.is_zero());
  CHECK(!frame.peers.at(0).expired);
}

TEST_CASE("TEST-40: there are no DNS settings but those that were given") {
  Lab lab;
  CHECK(!decoded(lab.preview(lab.alice)).dns_config);
  const DNSRecord record{"a.test", "A", "192.0.2.1"};
  lab.order(coord_command::AddDnsRecords{{record}});
  auto dns = Lab::frame_of(lab.alice).dns_config;
  REQUIRE(dns);
  CHECK(dns->extra_records == std::vector{record});
  CHECK(!dns->proxied);
  CHECK(dns->cert_domains.empty());
  Rules rules;
  rules.magic_dns_domain = "magic.test";
  lab.set(rules);
  dns = Lab::frame_of(lab.alice).dns_config;
  CHECK(dns->cert_domains == std::vector<std::string>{"host1.magic.test"});
}

TEST_CASE("TEST-40, API-138: a node proves the names of its map, wherever they come from") {
  Lab lab;
  const auto set = [&](const std::string& name) {
    auto request = std::make_shared<SetDNSRequest>();
    request->node_key = lab.alice.node_key;
    request->type = "TXT";
    request->name = name;
    request->value = "proof";
    const auto id = lab.desk.ask(lab.alice.session, lab.alice.machine, question::SetDns{request});
    lab.desk.pump();
    const Inbox& inbox = lab.desk.inbox(lab.alice.session, id);
    return inbox.refused ? inbox.refused->status : 200;
  };
  CHECK(set("_acme-challenge.host1.magic.test") == 501);
  Rules rules;
  rules.magic_dns_domain = "magic.test";
  lab.set(rules);
  CHECK(set("_acme-challenge.host1.magic.test") == 501);
  lab.order(coord_command::SetDnsConfig{DNSConfig{}});
  CHECK(set("_acme-challenge.host1.magic.test") == 200);
  CHECK(set("_acme-challenge.host2.magic.test") == 403);
  CHECK(lab.desk.coordinator.dns_challenges().size() == 1);
}

TEST_CASE("TEST-41: an SSH policy is repeated, and gives the right to run a server") {
  Lab lab;
  SSHPolicy policy;
  policy.rules.emplace_back().action.reject = true;
  lab.order(coord_command::SetSshPolicy{policy});
  (void)lab.alice.read_all();
  lab.order(coord_command::SetAppCaps{});
  const auto frame = Lab::frame_of(lab.alice);
  CHECK(frame.ssh_policy == policy);
  CHECK(frame.node->capabilities.back() == "https://tailscale.com/cap/ssh");
  CHECK(decoded(lab.preview(lab.alice)).ssh_policy == policy);
  lab.order(coord_command::SetSshPolicy{});
  CHECK(Lab::frame_of(lab.alice).ssh_policy == SSHPolicy{});
}

TEST_CASE("TEST-42: a preview is the map that a new stream would get, and changes nothing") {
  Lab lab;
  lab.order(coord_command::OverrideRoutes{lab.id(lab.bob), std::vector{*IpPrefix::parse("10.0.0.0/24")}});
  (void)lab.desk.order(coord_command::Ping{lab.id(lab.alice), {}, {}});
  const std::string first = lab.preview(lab.alice);
  lab.desk.clock.advance(milliseconds{3'000});
  CHECK(lab.preview(lab.alice) == first);
  lab.settle();
  CHECK(lab.preview(lab.alice) == first);
  lab.alice.start_poll();
  CHECK(Lab::frame_of(lab.alice) == decoded(first));
  CHECK(lab.desk.coordinator.map_preview(NodeId{99}, lab.desk.clock.now).empty());
}

TEST_CASE("TEST-42: a node as it is stored, without what is laid over it") {
  Lab lab;
  lab.bob.update();
  lab.order(coord_command::OverrideRoutes{lab.id(lab.bob), std::vector{*IpPrefix::parse("10.0.0.0/24")}});
  lab.order(coord_command::OverrideCapabilities{lab.id(lab.bob), CapMap{{"only", {}}}});
  lab.order(coord_command::SetUnsignedPeerApiOnly{lab.id(lab.bob), true});
  const auto node = decode_copy<Node>(as_bytes(lab.desk.coordinator.node_json(lab.id(lab.bob))));
  REQUIRE(node);
  CHECK(node->key == lab.bob.node_key);
  CHECK(node->disco_key == lab.bob.disco);
  CHECK(node->endpoints == lab.bob.endpoints);
  CHECK(home_derp(*node) == lab.bob.home_derp);
  REQUIRE(node->hostinfo);
  CHECK(node->hostinfo->backend_log_id == lab.bob.hostinfo.backend_log_id);
  CHECK(node->allowed_ips == node->addresses);
  CHECK(node->primary_routes.empty());
  CHECK(!node->unsigned_peer_api_only);
  CHECK(node->cap_map == lab.desk.record(lab.bob.node_key)->capabilities);
  CHECK(lab.desk.coordinator.node_json(NodeId{99}).empty());
}

}  // namespace ts2021::test

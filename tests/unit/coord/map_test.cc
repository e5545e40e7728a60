// SPDX-License-Identifier: BSD-3-Clause
// Map requests and what comes of them.
#include <algorithm>

#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/strict_fold.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Everything that is waiting in the poll, applied.
void drain(Client& client, StrictFold& fold) {
  client.desk->advance(milliseconds{300});
  for (const auto& message : client.read_all()) REQUIRE(fold.apply(message) == "");
}

NodeId id_of(Desk& desk, const Client& client) { return desk.record(client.node_key)->id; }

IpPort endpoint(std::uint32_t address, std::uint16_t port) { return {IpAddress::v4(address), port}; }

class Blind final : public Policy {  // nobody sees anybody
 public:
  ViewClass view_of(const Subject&) const override { return ViewClass{}; }
  bool sees(ViewClass, const Subject&) const override { return false; }
  std::vector<FilterRule> packet_filter(const Subject&) const override { return {}; }
};

// Counts questions; everybody sees one node only.
class Counting final : public Policy {
 public:
  explicit Counting(const MachinePublic& seen) : seen_(seen) {}
  ViewClass view_of(const Subject&) const override {
    ++asked;
    return ViewClass{};
  }
  bool sees(ViewClass, const Subject& peer) const override {
    ++asked;
    return peer.node.machine == seen_;
  }
  std::vector<FilterRule> packet_filter(const Subject&) const override { return {allow_all_rule()}; }
  mutable std::size_t asked = 0;

 private:
  MachinePublic seen_;
};

}  // namespace

TEST_CASE("MAP-21: the first message is complete") {
  Desk desk;
  const Capability capability{GENERATE(as<std::uint16_t>{}, 26, 68, 90, 148)};
  Client alice(desk, 1, capability), bob(desk, 2);
  bob.enroll();
  bob.update();
  alice.enroll();
  alice.start_poll();
  const auto map = alice.next();
  REQUIRE(map.node);
  CHECK(map.node->key == alice.node_key);
  CHECK(map.node->name == "host1.net.test.");  // API-35
  CHECK(map.node->machine_authorized);
  REQUIRE(map.node->addresses.size() == 2);
  CHECK(map.node->addresses[0].address.is_v4());
  CHECK(map.node->addresses[1].address.is_v6());
  REQUIRE(map.derp_map);
  CHECK(map.derp_map->regions->contains(900));
  REQUIRE(map.peers.size() == 1);
  CHECK(map.peers[0].id == id_of(desk, bob));
  CHECK(map.peers[0].name == "host2.net.test.");
  CHECK(map.peers[0].endpoints == bob.endpoints);
  CHECK(map.peers[0].disco_key == bob.disco);
  CHECK(map.peers[0].derp == "127.3.3.40:900");
  CHECK(home_derp(map.peers[0]) == 900);
  CHECK(map.peers[0].allowed_ips == map.peers[0].addresses);
  CHECK(map.peers[0].online == false);
  REQUIRE(map.peers[0].hostinfo);
  CHECK(map.peers[0].hostinfo->hostname == "host2");
  CHECK(map.peers[0].hostinfo->backend_log_id.empty());
  REQUIRE(map.user_profiles.size() == 1);
  CHECK(map.user_profiles[0].login_name == "owner@net.test");
  CHECK(map.user_profiles[0].id == map.node->user);
  REQUIRE(map.dns_config);
  CHECK(map.dns_config->proxied);
  CHECK(map.dns_config->domains == std::vector<std::string>{"net.test"});
  CHECK(map.domain == "Test net");
  CHECK(map.collect_services == false);
  const bool chunks = capability >= Capability::packet_filters;
  CHECK(map.packet_filter.has_value() == !chunks);
  CHECK(map.packet_filters.contains("base") == chunks);
  const auto& rules = chunks ? map.packet_filters.at("base") : map.packet_filter;
  REQUIRE(rules);
  CHECK(*rules == std::vector{allow_all_rule()});
  if (capability >= Capability::ssh_policy) CHECK(map.control_time.at == desk.clock.now.wall);
  REQUIRE(map.debug);
  CHECK(map.debug->disable_log_tail == (capability >= Capability::ssh_policy));
  CHECK(!alice.poll_inbox().ended);
}

TEST_CASE("MAP-2: a client that asks for zstd gets it, smaller than plain JSON") {
  Desk desk;
  Client plain(desk, 1), packed(desk, 2);
  plain.enroll();
  packed.enroll();
  plain.start_poll();
  auto request = packed.map_request();
  request.compress = "zstd";
  packed.poll = desk.send(packed.session, request);
  desk.pump();
  CHECK(packed.next().node->key == packed.node_key);
  CHECK(packed.poll_inbox().sizes[0] < plain.poll_inbox().sizes[0]);
}

TEST_CASE("API-56: unknown and foreign node keys get 404 on map") {
  Desk desk;
  Client alice(desk, 1), mallory(desk, 2);
  alice.enroll();
  mallory.start_poll();
  REQUIRE(mallory.poll_inbox().refused);
  CHECK(mallory.poll_inbox().refused->status == 404);
  mallory.enroll();
  mallory.node_key = alice.node_key;
  mallory.start_poll();
  REQUIRE(mallory.poll_inbox().refused);
  CHECK(mallory.poll_inbox().refused->status == 404);
  CHECK(!desk.online(alice.node_key));
  auto request = alice.map_request();
  request.version = Capability{};
  const auto call = desk.send(alice.session, request);
  desk.pump();
  CHECK(desk.inbox(alice.session, call).refused->status == 400);
}

TEST_CASE("MAP-20: the kinds of map requests") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll();
  bob.enroll();
  bob.update();
  alice.start_poll();
  alice.read_all();
  auto request = bob.map_request();
  request.endpoints = {endpoint(0x0a000001, 1)};
  SECTION("an update: applied, no body, no presence") {
    request.stream = false;
    request.omit_peers = true;
    const auto call = desk.send(bob.session, request);
    desk.pump();
    CHECK(desk.inbox(bob.session, call).ended);
    CHECK(desk.inbox(bob.session, call).messages.empty());
    CHECK(desk.record(bob.node_key)->endpoints == request.endpoints);
    CHECK(!desk.online(bob.node_key));
  }
  SECTION("a fetch: applied, one map, over") {
    request.stream = false;
    const auto call = desk.send(bob.session, request);
    CHECK(desk.only(bob.session, call).peers.size() == 1);
    CHECK(desk.inbox(bob.session, call).ended);
    CHECK(desk.record(bob.node_key)->endpoints == request.endpoints);
    CHECK(!desk.online(bob.node_key));
  }
  SECTION("a silent fetch: nothing applied, one map, over") {
    request.stream = false;
    request.read_only = true;
    request.omit_peers = GENERATE(false, true);
    const auto call = desk.send(bob.session, request);
    CHECK(desk.only(bob.session, call).peers.size() == 1);
    CHECK(desk.inbox(bob.session, call).ended);
    CHECK(desk.record(bob.node_key)->endpoints == bob.endpoints);
  }
  SECTION("a silent poll: nothing applied, a map that stays, no presence, no replacement") {
    bob.start_poll();
    bob.read_all();
    request.read_only = true;
    const auto call = desk.send(bob.session, request);
    CHECK(desk.only(bob.session, call).peers.size() == 1);
    CHECK(!desk.inbox(bob.session, call).ended);
    CHECK(!bob.poll_inbox().ended);
    CHECK(desk.record(bob.node_key)->endpoints == bob.endpoints);
    desk.cancel(bob.session, bob.poll);
    desk.advance(seconds{5});
    CHECK(!desk.online(bob.node_key));
    const auto second = desk.send(bob.session, request);
    desk.pump();
    CHECK(desk.inbox(bob.session, call).ended);
    CHECK(!desk.inbox(bob.session, second).ended);
  }
  SECTION("a microcontroller's poll omits peers and gets them anyway") {
    request.omit_peers = true;
    const auto call = desk.send(bob.session, request);
    CHECK(desk.only(bob.session, call).peers.size() == 1);
    CHECK(!desk.inbox(bob.session, call).ended);
    CHECK(desk.online(bob.node_key));
  }
}

TEST_CASE("MAP-34: a poll of 68 and newer says nothing of endpoints and disco key") {
  Desk desk;
  const Capability capability{GENERATE(as<std::uint16_t>{}, 67, 68)};
  const bool applies = capability < Capability::separate_updates;
  Client alice(desk, 1, capability);
  alice.enroll();
  alice.update();
  auto request = alice.map_request();
  request.disco_key = make_key<DiscoPublic>(99);
  request.endpoints = {endpoint(0x0a000001, 1)};
  desk.send(alice.session, request);
  desk.pump();
  CHECK((desk.record(alice.node_key)->endpoints == request.endpoints) == applies);
  CHECK((desk.record(alice.node_key)->disco == request.disco_key) == applies);
  // An empty list means "not known yet" in a poll, and "none" in an update.
  const auto before = desk.record(alice.node_key)->endpoints;
  request.endpoints.clear();
  desk.send(alice.session, request);
  desk.pump();
  CHECK(desk.record(alice.node_key)->endpoints == before);
  alice.endpoints.clear();
  alice.update();
  CHECK(desk.record(alice.node_key)->endpoints.empty());
}

TEST_CASE("MAP-33: endpoints that peers could not use are dropped") {
  Desk desk;
  Client alice(desk, 1);
  alice.enroll();
  const auto parse = [](std::string_view text) { return *IpPort::parse(text); };
  const std::vector<IpPort> good{parse("192.0.2.7:1"), parse("[2001:db8::1]:2"), parse("192.0.2.8:3")};
  alice.endpoints = {good[0],
                     parse("[fe80::1%eth0]:9"),
                     parse("[fe80::2]:9"),
                     good[1],
                     good[0],
                     parse("[2001:db8::2%eth0]:2"),
                     good[2]};
  alice.update();
  CHECK(desk.record(alice.node_key)->endpoints == good);
  alice.endpoints.clear();
  for (std::uint16_t i = 1; i <= 200; ++i) alice.endpoints.push_back(endpoint(0x0a000001, i));
  alice.update();
  CHECK(desk.record(alice.node_key)->endpoints.size() == 64);
}

TEST_CASE("MAP-30: an absent NetInfo does not erase the home relay") {
  Desk desk;
  Client alice(desk, 1);
  alice.enroll();
  alice.update();
  REQUIRE(desk.record(alice.node_key)->home_derp == 900);
  alice.home_derp = 0;
  alice.update();
  CHECK(desk.record(alice.node_key)->home_derp == 900);
  auto request = alice.map_request();
  request.stream = false;
  request.omit_peers = true;
  request.hostinfo->net_info.emplace();
  desk.send(alice.session, request);
  request.hostinfo.reset();
  desk.send(alice.session, request);
  desk.pump();
  CHECK(desk.record(alice.node_key)->home_derp == 900);
}

TEST_CASE("MAP-25: each change of a peer goes the cheapest way that the viewer understands") {
  Desk desk;
  const Capability capability{GENERATE(as<std::uint16_t>{}, 32, 33, 36, 53, 148)};
  INFO("capability " << static_cast<int>(capability));
  Client alice(desk, 1, capability), bob(desk, 2, Capability{100});
  bob.enroll();
  bob.update();
  bob.start_poll();
  alice.enroll();
  alice.start_poll();
  StrictFold fold;
  drain(alice, fold);
  const NodeId id = id_of(desk, bob);
  const auto change = [&](auto how) {
    how();
    desk.advance(milliseconds{300});
    auto messages = alice.read_all();
    REQUIRE(messages.size() == 1);
    REQUIRE(fold.apply(messages[0]) == "");
    return messages[0];
  };
  SECTION("endpoints") {
    const auto message = change([&] {
      bob.endpoints = {endpoint(0x0a000005, 7)};
      bob.update();
    });
    CHECK(message.peers_changed_patch.size() == (capability >= Capability{33} ? 1u : 0u));
    CHECK(message.peers_changed.size() == (capability >= Capability{33} ? 0u : 1u));
    CHECK(message.user_profiles.empty() == message.peers_changed.empty());  // MAP-24
    CHECK(!message.node);
    CHECK(!message.derp_map);
    CHECK(fold->peers.at(id).endpoints == bob.endpoints);
  }
  SECTION("no endpoints any more") {
    const auto message = change([&] {
      bob.endpoints.clear();
      bob.update();
    });
    CHECK(message.peers_changed.size() == 1);
    CHECK(fold->peers.at(id).endpoints.empty());
  }
  SECTION("the home relay") {
    const auto message = change([&] {
      bob.home_derp = 901;
      bob.update();
    });
    CHECK(message.peers_changed_patch.size() == (capability >= Capability{33} ? 1u : 0u));
    CHECK(home_derp(fold->peers.at(id)) == 901);
  }
  SECTION("the disco key") {
    const auto message = change([&] {
      bob.disco = make_key<DiscoPublic>(55);
      bob.update();
    });
    CHECK(message.peers_changed_patch.size() == (capability >= Capability{36} ? 1u : 0u));
    CHECK(fold->peers.at(id).disco_key == bob.disco);
  }
  SECTION("the capability version") {
    const auto message = change([&] {
      auto request = bob.map_request();
      request.version = Capability{101};
      request.stream = false;
      request.omit_peers = true;
      request.endpoints = bob.endpoints;
      desk.send(bob.session, request);
    });
    CHECK(message.peers_changed_patch.size() == (capability >= Capability{54} ? 1u : 0u));
    if (capability >= Capability::node_cap) CHECK(fold->peers.at(id).cap == Capability{101});
  }
  SECTION("offline, then online") {
    desk.cancel(bob.session, bob.poll);
    const auto left = change([&] { desk.advance(seconds{3}); });
    CHECK(left.online_change.size() == (capability >= Capability{36} ? 0u : 1u));
    CHECK(fold->peers.at(id).online == false);
    if (capability >= Capability::more_peer_patches) CHECK(!fold->peers.at(id).last_seen.is_zero());
    const auto back = change([&] { bob.start_poll(); });
    CHECK(back.online_change == std::map<NodeId, bool>{{id, true}});
    CHECK(fold->peers.at(id).online == true);
  }
  SECTION("the name") {
    const auto message = change([&] {
      bob.hostinfo.hostname = "renamed";
      bob.update();
    });
    CHECK(message.peers_changed.size() == 1);
    CHECK(fold->peers.at(id).name == "renamed.net.test.");
  }
  SECTION("a new node key") {
    const auto message = change([&] {
      bob.node_key = make_key<NodePublic>(66);
      bob.enroll();
    });
    CHECK(message.peers_changed.size() == 1);
    CHECK(fold->peers.at(id).key == bob.node_key);
  }
}

TEST_CASE("MAP-31: what means nothing to peers is not told") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  bob.enroll();
  bob.endpoints = {endpoint(0x0a000001, 1), endpoint(0x0a000002, 2)};
  bob.update();
  alice.enroll();
  alice.start_poll();
  alice.read_all();
  std::swap(bob.endpoints[0], bob.endpoints[1]);
  bob.update();
  bob.hostinfo.os_version = "7";
  bob.update();
  auto request = bob.map_request();
  request.stream = false;
  request.omit_peers = true;
  request.endpoints = bob.endpoints;
  request.hostinfo->net_info.emplace().preferred_derp = 900;
  request.hostinfo->net_info->derp_latency["900-v4"] = 0.5;
  desk.send(bob.session, request);
  desk.advance(seconds{1});
  CHECK(alice.read_all().empty());
}

TEST_CASE("MAP-26, MAP-22: gone peers are named, also the last one") {
  auto config = desk_config();
  config.ephemeral_timeout = seconds{10};
  Desk desk(config);
  Client alice(desk, 1), bob(desk, 2), carol(desk, 3);
  alice.enroll();
  bob.enroll(ephemeral_key);
  carol.enroll(ephemeral_key);
  StrictFold fold;
  alice.start_poll();
  drain(alice, fold);
  CHECK(fold->peers.size() == 2);
  desk.advance(seconds{20});
  drain(alice, fold);
  CHECK(fold->peers.empty());
}

TEST_CASE("MAP-22: a policy that hides all peers removes them by name") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2), carol(desk, 3, Capability{60});
  for (auto* client : {&alice, &bob, &carol}) client->enroll();
  StrictFold fold, old;
  alice.start_poll();
  carol.start_poll();
  drain(alice, fold);
  drain(carol, old);
  CHECK(fold->peers.size() == 2);
  desk.order(coord_command::SetPolicy{std::make_shared<const Blind>()});
  drain(alice, fold);
  drain(carol, old);
  CHECK(fold->peers.empty());
  CHECK(old->peers.empty());
  CHECK(fold->filter == std::vector<FilterRule>{});
  CHECK(old->filter == std::vector<FilterRule>{});
  CHECK(fold.derp_maps == 1);
  desk.order(coord_command::SetPolicy{std::make_shared<const AllowAll>()});
  drain(alice, fold);
  CHECK(fold->peers.size() == 2);
  CHECK(fold->filter == std::vector{allow_all_rule()});
}

TEST_CASE("MAP-23: the relay map comes once per stream, and again when it changes") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll();
  alice.start_poll();
  StrictFold fold;
  bob.enroll();
  bob.start_poll();
  bob.update();
  desk.cancel(bob.session, bob.poll);
  desk.advance(seconds{10});
  drain(alice, fold);
  CHECK(fold.messages() > 2);
  CHECK(fold.derp_maps == 1);
  DERPMap other = *desk_config().derp_map;
  (*other.regions)[901] = (*other.regions)[900];
  (*other.regions)[901].region_id = 901;
  desk.order(coord_command::SetDERPMap{std::make_shared<const DERPMap>(other)});
  drain(alice, fold);
  CHECK(fold.derp_maps == 2);
  CHECK(fold->derp_map->regions->size() == 2);
}

TEST_CASE("MAP-27: a change of the node itself reaches its own poll") {
  Desk desk;
  Client alice(desk, 1);
  alice.enroll();
  alice.start_poll();
  StrictFold fold;
  drain(alice, fold);
  alice.hostinfo.hostname = "other";
  CHECK(alice.update().ended);
  CHECK(!alice.poll_inbox().ended);
  drain(alice, fold);
  CHECK(fold->self->name == "other.net.test.");
  alice.endpoints = {endpoint(0x0a000005, 7)};  // it knows those best itself
  alice.update();
  desk.advance(seconds{1});
  CHECK(alice.read_all().empty());
}

TEST_CASE("MAP-28: an expired peer has no endpoints and no relay, and comes back whole") {
  const Capability capability{GENERATE(as<std::uint16_t>{}, 52, 148)};
  Desk desk;
  Client alice(desk, 1, capability), bob(desk, 2);
  bob.enroll();
  bob.update();
  bob.start_poll();
  alice.enroll();
  alice.start_poll();
  StrictFold fold, own;
  drain(alice, fold);
  drain(bob, own);
  auto request = bob.register_request("");
  request.expiry = desk.clock.now.wall + std::chrono::minutes{5};
  bob.send(request);
  const NodeId id = id_of(desk, bob);
  desk.advance(std::chrono::minutes{5});
  drain(alice, fold);
  drain(bob, own);
  CHECK(fold->peers.at(id).expired == (capability >= Capability::node_expired));
  CHECK(fold->peers.at(id).endpoints.empty());
  CHECK(home_derp(fold->peers.at(id)) == 0);
  CHECK(fold->peers.at(id).key_expiry.at <= desk.clock.now.wall);
  CHECK(own->self->key_expiry.at <= desk.clock.now.wall);
  CHECK(!bob.poll_inbox().ended);
  bob.node_key = make_key<NodePublic>(99);
  CHECK(bob.enroll().machine_authorized);
  drain(alice, fold);
  CHECK(!fold->peers.at(id).expired);
  CHECK(fold->peers.at(id).endpoints == bob.endpoints);
  CHECK(home_derp(fold->peers.at(id)) == 900);
  CHECK(fold->peers.at(id).key_expiry.is_zero());
}

TEST_CASE("MAP-29: a deleted node is told that it has expired, then its stream ends") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll();
  bob.enroll();
  alice.start_poll();
  bob.start_poll();
  alice.read_all();
  const auto* record = desk.record(alice.node_key);
  const auto number = static_cast<std::uint64_t>(record->id);
  // An administrator deletes it, by another handle of the same store.
  MemoryStore admin(desk.store.records());
  admin.watch(Revision{});
  StoreEvent event;
  Revision revision{};
  while (admin.poll({&event, 1}) == 1)
    if (const auto* changed = std::get_if<Changed>(&event); changed && changed->id == number)
      revision = changed->revision;
  const Write write{RecordKind::node, number, revision, nullptr};
  admin.submit(Ticket{1}, {&write, 1});
  desk.advance(seconds{1});
  REQUIRE(!desk.record(alice.node_key));
  const auto last = alice.read_all();
  REQUIRE(!last.empty());
  REQUIRE(last.back().node);
  CHECK(last.back().node->key_expiry.at <= desk.clock.now.wall);
  CHECK(!last.back().node->key_expiry.is_zero());
  CHECK(alice.poll_inbox().ended);
  alice.start_poll();
  CHECK(alice.poll_inbox().refused->status == 404);
  StrictFold fold;
  drain(bob, fold);
  CHECK(fold->peers.empty());
}

TEST_CASE("MAP-35: keep-alives come after 50 to 59 s of silence, and nothing rides with them") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll();
  bob.enroll();
  alice.start_poll();
  alice.read_all();
  desk.advance(milliseconds{49'900});
  CHECK(alice.read_all().empty());
  desk.advance(milliseconds{9'200});
  auto messages = alice.read_all();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].keep_alive);
  // A message in between starts the silence anew.
  desk.advance(seconds{40});
  bob.update();
  desk.advance(milliseconds{500});
  messages = alice.read_all();
  REQUIRE(messages.size() == 1);
  CHECK(!messages[0].keep_alive);
  desk.advance(seconds{45});
  CHECK(alice.read_all().empty());
  desk.advance(seconds{600});
  CHECK(alice.read_all().size() >= 10);
}

TEST_CASE("MAP-35: a keep-alive that falls due while a frame is under way follows it, once") {
  Desk desk;
  Client alice(desk, 1);
  alice.enroll();
  desk.slow[alice.session] = true;
  alice.start_poll();
  REQUIRE(alice.read_all().size() == 1);
  desk.advance(seconds{180});
  CHECK(alice.read_all().empty());
  desk.take(alice.session, alice.poll);
  desk.pump();
  const auto messages = alice.read_all();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].keep_alive);
  desk.take(alice.session, alice.poll);
  desk.pump();
  CHECK(alice.read_all().empty());
}

TEST_CASE("MAP-35: with news to tell, a keep-alive that fell due is not needed") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll();
  bob.enroll();
  desk.slow[alice.session] = true;
  alice.start_poll();
  desk.advance(seconds{70});
  bob.update();
  desk.pump();
  alice.read_all();
  desk.take(alice.session, alice.poll);
  desk.advance(seconds{2});
  const auto messages = alice.read_all();
  REQUIRE(messages.size() == 1);
  CHECK(!messages[0].keep_alive);
  desk.take(alice.session, alice.poll);
  desk.advance(seconds{2});
  CHECK(alice.read_all().empty());
}

TEST_CASE("MAP-36: a newer poll ends the older one and never flips presence") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll();
  bob.enroll();
  bob.start_poll();
  alice.start_poll();
  alice.read_all();
  const auto online = desk.notices_of(NoticeKind::online);
  const auto old_call = bob.poll;
  const auto old_session = bob.session;
  SECTION("on the same connection") { bob.start_poll(); }
  SECTION("on another connection") {
    bob.session = desk.open(bob.machine);
    bob.start_poll();
    desk.gone(old_session);
  }
  CHECK(bob.next().node);
  CHECK((desk.inbox(old_session, old_call).ended));
  CHECK(!bob.poll_inbox().ended);
  desk.cancel(old_session, old_call);
  desk.advance(seconds{30});
  CHECK(desk.online(bob.node_key));
  CHECK(alice.read_all().empty());
  CHECK(desk.notices_of(NoticeKind::online) == online);
  CHECK(desk.notices_of(NoticeKind::offline) == 0);
}

TEST_CASE("MAP-38: peers see a node leave within five seconds, but not a short absence") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll();
  bob.enroll();
  alice.start_poll();
  bob.start_poll();
  StrictFold fold;
  drain(alice, fold);
  const NodeId id = id_of(desk, bob);
  REQUIRE(fold->peers.at(id).online == true);
  desk.gone(bob.session);
  desk.advance(seconds{1});
  bob.session = desk.open(bob.machine);
  bob.start_poll();
  desk.advance(seconds{10});
  CHECK(alice.read_all().empty());
  const auto left = desk.clock.now.wall;
  desk.gone(bob.session);
  desk.advance(seconds{5});
  drain(alice, fold);
  CHECK(fold->peers.at(id).online == false);
  CHECK(fold->peers.at(id).last_seen.at >= left);
  CHECK(desk.notices_of(NoticeKind::offline) == 1);
}

TEST_CASE("MAP-32: a disco key that changed while offline is told again when its node is back") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll();
  bob.enroll();
  bob.update();
  alice.start_poll();
  StrictFold fold;
  drain(alice, fold);
  bob.disco = make_key<DiscoPublic>(70);
  bob.update();  // the first update of a start comes before the poll
  drain(alice, fold);
  bob.start_poll();
  desk.advance(milliseconds{300});
  const auto messages = alice.read_all();
  REQUIRE(messages.size() == 1);
  REQUIRE(messages[0].peers_changed_patch.size() == 1);
  const auto& patch = messages[0].peers_changed_patch[0];
  CHECK(patch.disco_key == bob.disco);
  CHECK(patch.online == true);
  REQUIRE(patch.last_seen);
  CHECK(patch.last_seen->at >= desk.clock.now.wall - milliseconds{300});
}

TEST_CASE("MAP-37: an update touches no poll, and a cancelled one is not applied") {
  Desk desk;
  Client alice(desk, 1);
  alice.enroll();
  alice.start_poll();
  alice.read_all();
  CHECK(alice.update().ended);
  CHECK(!alice.poll_inbox().ended);
  // API-54: the second waits behind the first, and is reset meanwhile.
  auto request = alice.map_request();
  request.stream = false;
  request.omit_peers = true;
  request.endpoints = {endpoint(0x0a000001, 1)};
  const auto first = desk.send(alice.session, request);
  request.endpoints = {endpoint(0x0a000002, 2)};
  const auto second = desk.send(alice.session, request);
  desk.cancel(alice.session, second);
  desk.pump();
  CHECK(desk.inbox(alice.session, first).ended);
  CHECK(!desk.inbox(alice.session, second).ended);
  CHECK(desk.record(alice.node_key)->endpoints == std::vector{endpoint(0x0a000001, 1)});
  // Of two overlapping ones the later wins.
  desk.send(alice.session, request);
  request.endpoints = {endpoint(0x0a000003, 3)};
  desk.send(alice.session, request);
  desk.pump();
  CHECK(desk.record(alice.node_key)->endpoints == request.endpoints);
}

TEST_CASE("a slow viewer has one frame in flight and gets the sum afterwards") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2), carol(desk, 3);
  for (auto* client : {&alice, &bob, &carol}) client->enroll();
  desk.slow[alice.session] = true;
  alice.start_poll();
  CHECK(alice.poll_inbox().messages.size() == 1);
  for (std::uint16_t i = 1; i <= 20; ++i) {
    bob.endpoints = {endpoint(0x0a000001, i)};
    bob.update();
    carol.home_derp = i;
    carol.update();
    desk.advance(milliseconds{500});
  }
  desk.advance(std::chrono::minutes{5});
  CHECK(alice.poll_inbox().messages.size() == 1);
  StrictFold fold;
  REQUIRE(fold.apply(alice.next()) == "");
  desk.take(alice.session, alice.poll);
  desk.advance(seconds{1});
  REQUIRE(alice.poll_inbox().messages.size() == 1);
  const auto sum = alice.next();
  CHECK(sum.peers_changed_patch.size() + sum.peers_changed.size() == 2);
  REQUIRE(fold.apply(sum) == "");
  CHECK(fold->peers.at(id_of(desk, bob)).endpoints == bob.endpoints);
  CHECK(home_derp(fold->peers.at(id_of(desk, carol))) == 20);
}

TEST_CASE("one change is encoded, packed and decided once for 1,000 viewers of a class") {
  Desk desk;
  Client bob(desk, 1);
  bob.enroll();
  bob.update();
  const auto policy = std::make_shared<const Counting>(bob.machine);
  desk.order(coord_command::SetPolicy{policy});
  std::vector<Client> viewers;
  viewers.reserve(1000);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    viewers.emplace_back(desk, i + 10);
    viewers.back().compress = "zstd";
    viewers.back().enroll();
    viewers.back().start_poll();
  }
  desk.advance(seconds{1});
  const auto before = desk.coordinator.counters();
  policy->asked = 0;
  bob.endpoints = {endpoint(0x0a000001, 1)};
  bob.update();
  desk.advance(seconds{1});
  const auto after = desk.coordinator.counters();
  CHECK(after.frames - before.frames == 1000);
  CHECK(after.encodings - before.encodings == 1);
  CHECK(after.compressions - before.compressions == 1);
  CHECK(after.evaluations == before.evaluations);
  CHECK(after.full_maps == before.full_maps);
  CHECK(after.rounds - before.rounds == 1);
  CHECK(policy->asked == 0);
}

TEST_CASE("a change made with a burst of others is told in few rounds") {
  Desk desk;
  Client alice(desk, 1);
  alice.enroll();
  alice.start_poll();
  alice.read_all();
  // Serving takes long: 50 ms pass for every input.
  std::vector<Client> clients;
  clients.reserve(40);
  for (std::uint64_t i = 0; i < 40; ++i) {
    clients.emplace_back(desk, i + 10);
    clients.back().enroll();
    desk.clock.advance(milliseconds{50});
    desk.coordinator.handle_timeout(desk.clock.now);
  }
  desk.advance(seconds{1});
  const auto messages = alice.read_all();
  CHECK(messages.size() <= 40);
  StrictFold fold;
  std::size_t told = 0;
  for (const auto& message : messages) told += message.peers_changed.size();
  CHECK(told >= 40);
}

TEST_CASE("inputs that make no sense are harmless") {
  Desk desk;
  auto& coordinator = desk.coordinator;
  coordinator.handle(coord_input::Taken{SessionId{9}, CallId{9}}, desk.clock.now);
  coordinator.handle(coord_input::Cancelled{SessionId{9}, CallId{9}}, desk.clock.now);
  coordinator.handle(coord_input::Gone{SessionId{9}}, desk.clock.now);
  coordinator.handle(coord_input::Map{SessionId{9}, CallId{9}, std::make_shared<const MapRequest>()},
                     desk.clock.now);
  coordinator.handle(coord_input::Register{SessionId{9}, CallId{9}, nullptr}, desk.clock.now);
  coordinator.on_store(Committed{Ticket{12345}, Revision{1}}, desk.clock.now);
  coordinator.on_store(Rejected{Ticket{12345}, {}}, desk.clock.now);
  coordinator.on_store(Changed{Revision{5}, RecordKind::node, 77, nullptr}, desk.clock.now);
  coordinator.on_store(CaughtUp{}, desk.clock.now);
  coordinator.handle_timeout(Now{});
  Client alice(desk, 1);
  CHECK(alice.enroll().machine_authorized);
}

}  // namespace ts2021::test

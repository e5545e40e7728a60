// SPDX-License-Identifier: BSD-3-Clause
// What maps say beside nodes: sections that are told when they change, and what is told once.
#include "coord/settings.h"

#include "coord/fan_out.h"
#include "coord/one_shots.h"
#include "support/administrator.h"
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/strict_fold.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void drain(Client& client, StrictFold& fold) {
  client.desk->advance(milliseconds{300});
  for (const auto& message : client.read_all()) REQUIRE(fold.apply(message) == "");
}

// What comes next, alone; no message is the zero one.
MapResponse next_of(Client& client, StrictFold& fold) {
  client.desk->advance(milliseconds{300});
  auto messages = client.read_all();
  REQUIRE(messages.size() <= 1);
  if (messages.empty()) return {};
  REQUIRE(fold.apply(messages[0]) == "");
  return messages[0];
}

DisplayMessage message(std::string title) { return {std::move(title), "text", "low", false, {}}; }

bool is_done(Desk& desk, CommandId command, int status = 200) {
  desk.pump();
  return desk.done.contains(command) && desk.done.at(command).status == status;
}

const std::string lock_head(52, 'A'), other_head(52, 'B');

}  // namespace

TEST_CASE("MAP-49: DNS settings and the names of certificates") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2, Capability{26});
  StrictFold fold, old(bob.capability);
  for (auto* client : {&alice, &bob}) {
    client->enroll();
    client->start_poll();
  }
  drain(alice, fold);
  drain(bob, old);
  CHECK(fold->dns->proxied);
  CHECK(fold->dns->cert_domains.empty());
  CHECK(!fold->self->cap_map.contains("https"));
  DnsSettings dns;
  dns.certificates = true;
  dns.resolvers = {{"192.0.2.53", {}, false}};
  dns.routes = {{".corp.test", {{"192.0.2.54", {}, false}}}, {"local.test", {}}};
  dns.search_domains = {"corp.test"};
  dns.extra_records = {{"printer.net.test", "A", "192.0.2.7"}};
  REQUIRE(is_done(desk, desk.order(coord_command::SetDns{dns})));
  const auto told = next_of(alice, fold);
  drain(bob, old);
  CHECK(!told.derp_map);
  CHECK(told.packet_filters.empty());
  CHECK(told.peers.empty());
  CHECK(told.peers_changed.empty());
  for (const StrictFold* one : {&fold, &old}) {
    CHECK((*one)->dns->resolvers == dns.resolvers);
    CHECK((*one)->dns->routes.at("corp.test") == dns.routes.at(".corp.test"));
    CHECK((*one)->dns->routes.contains("local.test"));
    CHECK((*one)->dns->domains == std::vector<std::string>{"net.test", "corp.test"});
    CHECK((*one)->dns->extra_records == dns.extra_records);
  }
  CHECK(fold->dns->cert_domains == std::vector<std::string>{"host1.net.test"});
  CHECK(old->dns->cert_domains == std::vector<std::string>{"host2.net.test"});
  CHECK(fold->self->cap_map.contains("https"));
  // Its own name is in it.
  alice.hostinfo.hostname = "renamed";
  alice.update();
  drain(alice, fold);
  CHECK(fold->dns->cert_domains == std::vector<std::string>{"renamed.net.test"});
  // The same again is no news; without MagicDNS nothing is left of it.
  REQUIRE(is_done(desk, desk.order(coord_command::SetDns{dns})));
  drain(bob, old);
  CHECK(next_of(alice, fold) == MapResponse{});
  DnsSettings none;
  none.magic_dns = false;
  REQUIRE(is_done(desk, desk.order(coord_command::SetDns{none})));
  drain(alice, fold);
  CHECK(*fold->dns == DNSConfig{});
}

TEST_CASE("MAP-50: a section comes when it changes, and a value that is gone is undone") {
  Desk desk;
  const Capability capability{GENERATE(as<std::uint16_t>{}, 73, 148)};
  Client alice(desk, 1, capability);
  alice.enroll();
  alice.start_poll();
  StrictFold fold(capability);
  drain(alice, fold);
  CHECK(!fold->client_version);
  CHECK(!fold->dial_plan);
  ClientVersion version;
  version.latest_version = "1.2.3";
  ControlDialPlan plan;
  plan.candidates.emplace_back().ip = IpAddress::v4(0xc0000201);
  REQUIRE(is_done(desk, desk.order(coord_command::SetClientVersion{version})));
  auto told = next_of(alice, fold);
  CHECK(told.client_version == version);
  CHECK(!told.dns_config);
  CHECK(!told.node);
  REQUIRE(is_done(desk, desk.order(coord_command::SetDialPlan{plan})));
  told = next_of(alice, fold);
  CHECK(told.control_dial_plan == plan);
  CHECK(!told.client_version);
  // A new stream is told all at once.
  alice.start_poll();
  StrictFold again(capability);
  drain(alice, again);
  CHECK(again->client_version == version);
  CHECK(again->dial_plan == plan);
  REQUIRE(is_done(desk, desk.order(coord_command::SetClientVersion{})));
  REQUIRE(is_done(desk, desk.order(coord_command::SetDialPlan{})));
  REQUIRE(is_done(desk, desk.order(coord_command::SetDERPMap{})));
  drain(alice, again);
  CHECK(again->client_version->running_latest);
  CHECK(again->dial_plan->candidates.empty());
  REQUIRE(again->derp_map);
  CHECK(again->derp_map->regions->empty());
  alice.start_poll();
  StrictFold third(capability);
  drain(alice, third);
  CHECK(!third->client_version);
  CHECK(!third->dial_plan);
  CHECK(!third->derp_map);
}

TEST_CASE("MAP-21: clients list their services where the config wants it") {
  auto config = desk_config();
  config.rules.collect_services = true;
  Desk desk(config);
  Client alice(desk, 1);
  alice.enroll();
  alice.start_poll();
  StrictFold fold;
  drain(alice, fold);
  CHECK(fold->collect_services == true);
}

TEST_CASE("MAP-50: messages for all and for one, in the form that the client knows") {
  Desk desk;
  const Capability capability{GENERATE(as<std::uint16_t>{}, 26, 116, 117)};
  const bool lists = capability < Capability::display_messages;
  Client alice(desk, 1, capability), bob(desk, 2, capability);
  StrictFold fold(capability), other(capability);
  for (auto* client : {&alice, &bob}) {
    client->enroll();
    client->start_poll();
  }
  const NodeId id = desk.record(alice.node_key)->id;
  drain(alice, fold);
  drain(bob, other);
  const auto shown = [lists](const StrictFold& of) {
    if (lists) return of->health.value_or(std::vector<std::string>{});
    std::vector<std::string> out;
    for (const auto& [name, text] : of->display_messages) out.push_back(text.title + ": " + text.text);
    return out;
  };
  using List = std::vector<std::string>;
  CHECK(shown(fold).empty());
  REQUIRE(is_done(desk, desk.order(coord_command::SetMessages{{}, {{"a", message("all")}}})));
  REQUIRE(is_done(desk, desk.order(coord_command::SetMessages{id, {{"b", message("own")}}})));
  drain(alice, fold);
  drain(bob, other);
  CHECK(shown(fold) == List{"all: text", "own: text"});
  CHECK(shown(other) == List{"all: text"});
  // One more for all leaves the node's own in place; a node's own wins.
  REQUIRE(is_done(desk, desk.order(coord_command::SetMessages{{}, {{"c", message("more")}}})));
  drain(alice, fold);
  CHECK(shown(fold) == List{"all: text", "own: text", "more: text"});
  REQUIRE(is_done(desk, desk.order(coord_command::SetMessages{id, {{"a", message("mine")}}})));
  drain(alice, fold);
  drain(bob, other);
  CHECK(shown(fold) == List{"mine: text", "own: text", "more: text"});
  CHECK(shown(other) == List{"all: text", "more: text"});
  REQUIRE(is_done(desk, desk.order(coord_command::SetMessages{{}, {{"c", std::nullopt}}})));
  REQUIRE(is_done(desk, desk.order(coord_command::SetMessages{id, {{"*", std::nullopt}}})));
  drain(alice, fold);
  drain(bob, other);
  CHECK(shown(fold) == List{"all: text"});
  CHECK(shown(other) == List{"all: text"});
  REQUIRE(is_done(desk, desk.order(coord_command::SetMessages{{}, {{"a", std::nullopt}}})));
  drain(alice, fold);
  CHECK(shown(fold).empty());
  CHECK(is_done(desk, desk.order(coord_command::SetMessages{NodeId{999}, {{"a", message("x")}}}), 404));
  CHECK(is_done(desk, desk.order(coord_command::SetMessages{{}, {{"*", message("x")}}}), 400));
}

TEST_CASE("one change of a section is encoded once for all viewers of a class") {
  Desk desk;
  std::vector<Client> viewers;
  viewers.reserve(20);
  for (std::uint64_t i = 0; i < 20; ++i) {
    viewers.emplace_back(desk, i + 10);
    viewers.back().enroll();
    viewers.back().start_poll();
  }
  desk.advance(seconds{1});
  const auto before = desk.coordinator.counters();
  desk.order(coord_command::SetMessages{{}, {{"a", message("all")}}});
  desk.advance(seconds{1});
  const auto after = desk.coordinator.counters();
  CHECK(after.frames - before.frames == 20);
  CHECK(after.encodings - before.encodings == 1);
}

TEST_CASE("MAP-43: a page is opened once, by a node that is there") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  for (auto* client : {&alice, &bob}) {
    client->enroll();
    client->start_poll();
  }
  const NodeId id = desk.record(alice.node_key)->id;
  StrictFold fold, other;
  drain(alice, fold);
  drain(bob, other);
  desk.slow[alice.session] = true;
  REQUIRE(is_done(desk, desk.order(coord_command::OpenBrowser{id, "https://one.test/"})));
  REQUIRE(is_done(desk, desk.order(coord_command::OpenBrowser{id, "https://two.test/"})));
  // One per message: a client opens the last of one message only.
  CHECK(next_of(alice, fold).pop_browser_url == "https://one.test/");
  desk.take(alice.session, alice.poll);
  CHECK(next_of(alice, fold).pop_browser_url == "https://two.test/");
  desk.take(alice.session, alice.poll);
  CHECK(next_of(alice, fold) == MapResponse{});
  desk.slow[alice.session] = false;
  drain(bob, other);
  CHECK(other.opened_urls.empty());
  // Within the grace after a poll it waits for the next one, and comes after the full map.
  desk.cancel(alice.session, alice.poll);
  REQUIRE(is_done(desk, desk.order(coord_command::OpenBrowser{id, "https://three.test/"})));
  alice.start_poll();
  StrictFold again;
  drain(alice, again);
  CHECK(again.opened_urls == std::vector<std::string>{"https://three.test/"});
  desk.cancel(alice.session, alice.poll);
  desk.advance(seconds{5});
  CHECK(is_done(desk, desk.order(coord_command::OpenBrowser{id, "https://four.test/"}), 409));
  CHECK(is_done(desk, desk.order(coord_command::OpenBrowser{NodeId{999}, "https://four.test/"}), 404));
}

TEST_CASE("MAP-43: what nobody fetches is forgotten in time, and too much is refused") {
  coord::OneShots shots;
  const Instant start{seconds{100}};
  PingRequest ping;
  ping.url = "https://unused/1";
  CHECK(shots.push(NodeId{1}, ping, start + seconds{10}));
  CHECK(shots.push(NodeId{1}, coord::BrowserUrl{"https://page.test/"}, start + seconds{5}));
  CHECK(shots.next_expiry() == start + seconds{5});
  shots.expire(start + seconds{5});
  CHECK(shots.next_expiry() == start + seconds{10});
  MapResponse message;
  shots.pop_into(NodeId{1}, message);
  CHECK(message.ping_request == ping);
  CHECK(message.pop_browser_url.empty());
  CHECK(!shots.has(NodeId{1}));
  CHECK(!shots.next_expiry());
  for (std::size_t i = 0; i < coord::OneShots::max_waiting; ++i)
    REQUIRE(shots.push(NodeId{2}, ping, start + seconds{10}));
  CHECK(!shots.push(NodeId{2}, ping, start + seconds{10}));
  shots.expire(start + seconds{10});
  CHECK(!shots.has(NodeId{2}));
  Debug debug;
  debug.exit = 1;
  REQUIRE(shots.push(NodeId{3}, debug, start + seconds{20}));
  shots.pop_into(NodeId{3}, message);
  CHECK(message.debug->exit == 1);
  REQUIRE(shots.push(NodeId{3}, ping, start + seconds{20}));
  shots.forget(NodeId{3});
  CHECK(!shots.has(NodeId{3}));
}

namespace {

// Open maps without a coordinator: one node with a poll.
struct Small {
  Small() : fan_out(tailnet, entropy, config, std::make_shared<const AllowAll>()) {
    NodeRecord record;
    record.id = NodeId{1};
    record.stable_id = record.given_name = "n1";
    record.machine = make_key<MachinePublic>(1);
    record.key = make_key<NodePublic>(2);
    record.user = UserId{1};
    record.v4 = Ipv4Address{0x64400001u};
    record.hostinfo = std::make_shared<const Hostinfo>();
    tailnet.apply({Revision{1}, RecordKind::node, 1, std::make_shared<const Record>(record)}, clock.now.wall);
  }
  void open() {
    MapRequest request;
    request.version = newest_capability;
    request.stream = true;
    fan_out.advance(clock.now);
    key.call = CallId{static_cast<std::uint64_t>(key.call) + 1};
    fold = StrictFold();
    fan_out.open(key, NodeId{1}, request);
    read();
  }
  std::size_t read() {
    clock.advance(milliseconds{500});
    fan_out.advance(clock.now);
    std::size_t frames = 0;
    while (auto event = fan_out.next_event()) {
      const auto* frame = std::get_if<coord_event::MapFrame>(&*event);
      if (!frame) continue;
      ++frames;
      Buffer bytes;
      for (const auto& piece : *frame->pieces) bytes.insert(bytes.end(), piece->begin(), piece->end());
      const auto message = decode_copy<MapResponse>(Bytes(bytes).subspan(map_prefix_size));
      REQUIRE(message);
      REQUIRE(fold.apply(*message) == "");
      fan_out.taken(key);
      fan_out.advance(clock.now);
    }
    return frames;
  }

  Clock clock;
  SeededEntropy entropy;
  CoordinatorConfig config = desk_config();
  coord::Tailnet tailnet;
  coord::FanOut fan_out;
  coord::PollKey key{SessionId{1}, CallId{1}};
  StrictFold fold;
};

}  // namespace

TEST_CASE("MAP-51: the tailnet lock's head is told when it changes, and to who lags") {
  Small world;
  world.open();
  CHECK(!world.fold->lock);
  world.fan_out.lock_head_reported(NodeId{1}, other_head);  // there is no lock
  CHECK(world.read() == 0);
  world.fan_out.set_lock(TKAInfo{lock_head, false});
  CHECK(world.read() == 1);
  CHECK(world.fold->lock->head == lock_head);
  world.fan_out.lock_head_reported(NodeId{1}, lock_head);
  world.fan_out.lock_head_reported(NodeId{1}, "");  // Rust does not say
  CHECK(world.read() == 0);
  world.fan_out.lock_head_reported(NodeId{1}, other_head);
  CHECK(world.read() == 1);
  world.open();
  CHECK(world.fold->lock->head == lock_head);
  world.fan_out.set_lock(TKAInfo{"", true});
  world.read();
  CHECK(world.fold->lock->disabled);
}

TEST_CASE("MAP-43: a ping waits for the node's poll and is told once") {
  Small world;
  PingRequest ping;
  ping.url = "https://unused/machine/ping/1";
  REQUIRE(world.fan_out.push(NodeId{1}, ping, world.clock.now.mono + seconds{30}));
  world.open();
  CHECK(world.fold.pings == std::vector{ping});
  world.open();
  CHECK(world.fold.pings.empty());
  ping.url += "2";
  REQUIRE(world.fan_out.push(NodeId{1}, ping, world.clock.now.mono + seconds{30}));
  CHECK(world.read() == 1);
  CHECK(world.fold.pings == std::vector{ping});
  // A fetch is over before anything could be asked, and a silent poll is not the node's life.
  REQUIRE(world.fan_out.push(NodeId{1}, ping, world.clock.now.mono + seconds{30}));
  CHECK(world.fan_out.next_timeout() <= world.clock.now.mono);
}

TEST_CASE("MAP-48: a profile that changed is told to those who know it") {
  Desk desk;
  Administrator admin(desk.store.records());
  Client alice(desk, 1);
  alice.enroll();
  alice.start_poll();
  StrictFold fold;
  drain(alice, fold);
  const UserId user = fold->self->user;
  admin.change_users([](UserRecord& record) { record.display_name = "The Owner"; });
  const auto told = next_of(alice, fold);
  CHECK(told.user_profiles.size() == 1);
  CHECK(!told.node);
  CHECK(fold->profiles.at(user).display_name == "The Owner");
  admin.change_users([](UserRecord& record) { record.created += seconds{1}; });  // nobody is told that
  CHECK(next_of(alice, fold) == MapResponse{});
}

}  // namespace ts2021::test

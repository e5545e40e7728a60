// SPDX-License-Identifier: BSD-3-Clause
// What strangers, relays and browsers ask of the outer site, and what nodes report inside.
#include "sim/site.h"
#include "support/catch.h"
#include "ts2021/legacy/nacl_box.h"
#include "ts2021/msg/derp.h"

using namespace ts2021;
using test::Asker;
using test::Member;
using test::World;

namespace {

CoordinatorConfig with_certificates() {
  CoordinatorConfig config = World::coordinator_config("good-key");
  config.dns.certificates = true;
  return config;
}

const NodeRecord& record_of(World& world, const Member& member) {
  for (const auto& status : world.coordinator.nodes())
    if (status.record->key == member.node) return *status.record;
  throw std::runtime_error("no such node");
}

std::string dns(const Member& member, std::string_view name, std::string_view value = "proof",
                std::string_view type = "TXT") {
  return member.body(R"(,"Name":")" + std::string(name) + R"(","Type":")" + std::string(type) +
                     R"(","Value":")" + std::string(value) + "\"");
}

}  // namespace

TEST_CASE("API-145: the check for captive portals is answered 204 with its challenge") {
  World world;
  Asker site(world, world.connect(0, ClientMode::http1));
  REQUIRE(site.ask("GET", "/generate_204").status == 204);
  const auto with = [&](std::string_view challenge) {
    const Header headers[] = {{"X-Tailscale-Challenge", challenge}};
    return site.ask("GET", "/generate_204", {}, headers).header("x-tailscale-response");
  };
  REQUIRE(with("ts_abc.De-1") == "response ts_abc.De-1");
  REQUIRE(with("no spaces").empty());
  REQUIRE(with(std::string(65, 'a')).empty());
}

TEST_CASE("API-143: a relay lets known nodes in, expired ones too, and nobody else") {
  World world;
  Member one(world, 1, "one");
  Asker relay(world, world.connect(0, ClientMode::http1));
  const auto allowed = [&](const NodePublic& key) {
    const auto answer =
        relay.ask("POST", "/verify", R"({"NodePublic":")" + key.text() + R"(","Source":"192.0.2.1"})");
    REQUIRE(answer.status == 200);
    return answer.body;
  };
  REQUIRE(allowed(one.node) == R"({"Allow":true})");
  REQUIRE(allowed(Member::node_key(7)) == R"({"Allow":false})");
  REQUIRE(allowed({}) == R"({"Allow":false})");
}

TEST_CASE("the relay map and the addresses of relays are told to who asks outside") {
  CoordinatorConfig coordination = World::coordinator_config("good-key");
  World none({}, coordination);
  Asker nothing(none, none.connect(0, ClientMode::http1));
  REQUIRE(nothing.ask("GET", "/derpmap/default").status == 404);
  REQUIRE(nothing.ask("GET", "/bootstrap-dns?q=a").body == "{}");

  DERPMap relays;
  DERPRegion& region = relays.regions.emplace()[7];
  region.region_id = 7;
  region.region_code = "x";
  coordination.derp_map = std::make_shared<const DERPMap>(relays);
  ServiceConfig config;
  config.bootstrap_dns["relay.example.com"] = {*IpAddress::parse("192.0.2.1"),
                                               *IpAddress::parse("2001:db8::1")};
  config.bootstrap_dns["b"] = {*IpAddress::parse("192.0.2.2")};
  World world(config, coordination);
  Asker site(world, world.connect(0, ClientMode::http1));
  const auto told = decode_copy<DERPMap>(as_bytes(site.ask("GET", "/derpmap/default").body));
  REQUIRE(told);
  REQUIRE(told->regions->at(7).region_code == "x");
  REQUIRE(site.ask("GET", "/bootstrap-dns?q=relay.example.com").body ==
          R"({"relay.example.com":["192.0.2.1","2001:db8::1"]})");
  REQUIRE(site.ask("GET", "/bootstrap-dns?q=other").body == "{}");
  REQUIRE(site.ask("GET", "/bootstrap-dns").body ==
          R"({"b":["192.0.2.2"],"relay.example.com":["192.0.2.1","2001:db8::1"]})");
}

TEST_CASE("API-138: a node proves its own name, and no other, to a certificate authority") {
  World world({}, with_certificates());
  Member one(world, 1, "one");
  const auto set = [&](const std::string& body) {
    return one.site.ask("POST", "/machine/set-dns", body).status;
  };
  const auto good = one.site.ask("POST", "/machine/set-dns", dns(one, "_acme-challenge.one.ts2021.test"));
  REQUIRE(good.status == 200);
  REQUIRE(good.body == "{}");
  const auto kept = world.coordinator.dns_challenges();
  REQUIRE(kept.size() == 1);
  REQUIRE(kept[0].name == "_acme-challenge.one.ts2021.test");
  REQUIRE(kept[0].value == "proof");

  Member two(world, 2, "two");
  for (const char* name :
       {"_acme-challenge.two.ts2021.test", "one.ts2021.test", "_acme-challenge.ts2021.test",
        "_acme-challenge.one.ts2021.test.", "", "_acme-challenge.one.ts2021.test.evil"})
    REQUIRE(set(dns(one, name)) == 403);
  REQUIRE(set(dns(one, "_acme-challenge.one.ts2021.test", "")) == 400);
  REQUIRE(set(dns(one, "_acme-challenge.one.ts2021.test", std::string(256, 'x'))) == 400);
  REQUIRE(set(dns(one, "_acme-challenge.one.ts2021.test", "x", "A")) == 400);
  REQUIRE(set(dns(two, "_acme-challenge.two.ts2021.test")) == 404);
  REQUIRE(world.coordinator.dns_challenges().size() == 1);
  world.clock.advance(std::chrono::minutes{10});
  REQUIRE(one.site.ask("GET", "/health").status == 200);
  world.coordinator.handle_timeout(world.clock.now);
  REQUIRE(world.coordinator.dns_challenges().empty());

  World without;
  Member other(without, 1, "one");
  REQUIRE(other.site.ask("POST", "/machine/set-dns", dns(other, "_acme-challenge.one.ts2021.test")).status ==
          501);
}

TEST_CASE("API-138, BOX-5: set-dns comes in a box too, for the machine of the path") {
  test::SeededEntropy entropy(3);
  const ControlBoxPair server = ControlBoxPair::generate(entropy);
  ServiceConfig config;
  config.box = &server;
  World world(config, with_certificates());
  Member one(world, 1, "one"), two(world, 2, "two");
  const auto post = [&](const Member& who, const std::string& text) {
    const auto box = NaclBox::between(who.machine.secret, server.open);
    std::vector<std::uint8_t> whole(NaclBox::overhead);
    whole.insert(whole.end(), text.begin(), text.end());
    REQUIRE(box->seal(whole, entropy));
    Asker site(world, world.connect(0, ClientMode::http1));
    auto answer = site.ask("POST", "/machine/" + who.machine.open.bare_text() + "/set-dns",
                           std::string(whole.begin(), whole.end()));
    if (answer.status != 200) return std::to_string(answer.status);
    std::vector<std::uint8_t> sealed(answer.body.begin(), answer.body.end());
    const auto open = box->open(sealed);
    REQUIRE(open);
    return std::string(as_text(*open));
  };
  REQUIRE(post(one, dns(one, "_acme-challenge.one.ts2021.test")) == "{}");
  REQUIRE(post(one, dns(two, "_acme-challenge.two.ts2021.test")) == "404");
  REQUIRE(post(one, dns(one, "_acme-challenge.two.ts2021.test")) == "403");
  REQUIRE(post(one, "{") == "400");
}

TEST_CASE("BOX-6: one connection can not make the server compute box keys without end") {
  test::SeededEntropy entropy(3);
  const ControlBoxPair server = ControlBoxPair::generate(entropy);
  ServiceConfig config;
  config.box = &server;
  World world(config, std::string("good-key"));
  Asker site(world, world.connect(0, ClientMode::http1));
  const auto stranger = [&](std::uint64_t seed) {
    return site.ask("POST", "/machine/" + Member::key(seed).open.bare_text(), std::string(60, 'x')).status;
  };
  for (std::uint64_t seed = 0; seed < 16; ++seed) REQUIRE(stranger(seed) == 400);
  REQUIRE(stranger(16) == 429);
  REQUIRE(site.ask("GET", "/health").status == 200);
  world.clock.advance(std::chrono::milliseconds{250});
  REQUIRE(stranger(17) == 400);
  REQUIRE(stranger(18) == 400);
  REQUIRE(stranger(19) == 429);
}

TEST_CASE("API-139: posture attributes are merged, null deletes, and they are bounded") {
  World world;
  Member one(world, 1, "one");
  const auto set = [&](std::string_view update) {
    return one.site.ask("PATCH", "/machine/set-device-attr", one.body(R"(,"Update":)" + std::string(update)));
  };
  REQUIRE(set(R"({"custom:a":"x","custom:b":7,"custom:c":true})").status == 200);
  REQUIRE(set(R"({"custom:b":null,"custom:d":1.5})").body == "{}");
  const auto& attributes = record_of(world, one).attributes;
  REQUIRE(attributes.size() == 3);
  REQUIRE(attributes.at("custom:a").text() == "\"x\"");
  REQUIRE(attributes.at("custom:c").text() == "true");
  REQUIRE(attributes.at("custom:d").text() == "1.5");
  for (const char* bad : {R"({"a":[]})", R"({"a":{}})", R"({"":"x"})", R"({"a b":"x"})"})
    REQUIRE(set(bad).status == 400);
  REQUIRE(set(R"({"a":")" + std::string(300, 'x') + "\"}").status == 400);
  std::string many = "{";
  for (int i = 0; i < 62; ++i) many += "\"n" + std::to_string(i) + "\":1,";
  many.back() = '}';
  REQUIRE(set(many).status == 400);
  REQUIRE(record_of(world, one).attributes.size() == 3);
}

TEST_CASE("API-140: what nodes report is taken; audit and SSH events reach the log as one printable line") {
  World world;
  Member one(world, 1, "one");
  REQUIRE(one.site.ask("POST", "/machine/update-health", R"({"Subsys":"x","Error":"bad"})").status == 204);
  world.notices.clear();
  const std::string body = one.body(R"(,"Action":"DISCONNECT_NODE","Details":"going\nhome \u001b[31m")");
  REQUIRE(one.site.ask("POST", "/machine/audit-log", body).status == 200);
  REQUIRE(world.notices.size() == 1);
  REQUIRE(world.notices[0].kind == NoticeKind::reported);
  REQUIRE(world.notices[0].name == "one");
  REQUIRE(world.notices[0].detail == "DISCONNECT_NODE: going?home ?[31m");
  REQUIRE(
      one.site
          .ask("POST", "/machine/ssh/notify", one.body(R"(,"EventType":3,"SrcNode":5,"LocalUser":"root")"))
          .status == 201);
  REQUIRE(world.notices.back().detail == "event 3 of node 5 as root");
  const auto whoami = one.site.ask("GET", "/machine/whoami");
  REQUIRE(whoami.status == 200);
  REQUIRE(whoami.body.find(one.machine.open.text()) != std::string::npos);
}

TEST_CASE("API-141: serve is there where certificates are, other features are not") {
  World with({}, with_certificates()), without;
  Member one(with, 1, "one"), two(without, 2, "two");
  const auto ask = [](Member& member, std::string_view feature) {
    return member.site.ask("POST", "/machine/feature/query",
                           member.body(R"(,"Feature":")" + std::string(feature) + "\""));
  };
  REQUIRE(ask(one, "serve").body == R"({"Complete":true})");
  REQUIRE(ask(one, "funnel").status == 404);
  REQUIRE(ask(two, "serve").status == 404);
}

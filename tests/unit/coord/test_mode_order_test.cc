// SPDX-License-Identifier: BSD-3-Clause
// Orders of tests that change rules and records.
#include "support/catch.h"
#include "support/test_desk.h"
#include "ts2021/msg/node.h"

namespace ts2021::test {
namespace {

using namespace coord_command;
using std::chrono::minutes;
using std::chrono::seconds;

PutNode put(const Node& node) { return {node.key, encoded(node)}; }

int order(Desk& desk, CoordOrder what) {
  const CommandId id = desk.order(std::move(what));
  desk.pump();
  REQUIRE(desk.done.contains(id));
  return desk.done.at(id).status;
}

}  // namespace

TEST_CASE("TEST-13: rules can be set, those of test mode only there") {
  const bool test_mode = GENERATE(false, true);
  auto config = desk_config();
  config.test_mode = test_mode;
  Desk desk(config);
  Rules common;
  common.require_approval = true;
  common.collect_services = true;
  common.peer_relay_grants = true;
  common.login_url = "https://login.test/";
  CHECK(order(desk, SetRules{common}) == 200);
  CHECK(desk.coordinator.rules().require_approval);
  CHECK(desk.coordinator.rules().login_url == "https://login.test");
  const Rules before = desk.coordinator.rules();
  const auto refused_elsewhere = [&](const auto& change) {
    Rules rules = before;
    change(rules);
    CHECK(order(desk, SetRules{rules}) == (test_mode ? 200 : 409));
    CHECK(desk.coordinator.rules() == (test_mode ? rules : before));
  };
  refused_elsewhere([](Rules& rules) { rules.require_auth = true; });
  refused_elsewhere([](Rules& rules) { rules.require_auth_key = "key"; });
  refused_elsewhere([](Rules& rules) { rules.magic_dns_domain = "magic.example"; });
  refused_elsewhere([](Rules& rules) { rules.all_nodes_same_user = true; });
  refused_elsewhere([](Rules& rules) { rules.all_online = true; });
  refused_elsewhere([](Rules& rules) { rules.default_capabilities.emplace(); });
  refused_elsewhere([](Rules& rules) { rules.tag_owners.emplace(); });
}

TEST_CASE("rules that make no sense are refused whole") {
  TestDesk desk;
  const Rules before = desk.coordinator.rules();
  Rules rules = before;
  rules.all_online = true;
  SECTION("domain") { rules.magic_dns_domain = GENERATE(".a", "a.", "a..b", "a b"); }
  SECTION("tag") { rules.tag_owners = {{{"a", {}}}}; }
  SECTION("owner") { rules.tag_owners = {{{"tag:a", {"b"}}}}; }
  CHECK(desk.order(SetRules{rules}) == 400);
  CHECK(desk.coordinator.rules() == before);
}

TEST_CASE("API-96: all keys expire by one rule, and come back when it is taken back") {
  auto config = desk_config();
  config.test_mode = GENERATE(false, true);
  Desk desk(config);
  Client alice(desk, 1), bob(desk, 2), carol(desk, 3);
  for (auto* client : {&alice, &bob}) {
    REQUIRE(client->enroll().machine_authorized);
    client->start_poll();
  }
  desk.advance(seconds{1});
  alice.read_all();
  Rules rules = desk.coordinator.rules();
  rules.expire_all = true;
  REQUIRE(order(desk, SetRules{rules}) == 200);
  desk.advance(seconds{1});
  CHECK(alice.enroll().node_key_expired);
  CHECK(!alice.enroll().machine_authorized);
  CHECK(carol.enroll().node_key_expired);
  CHECK(!desk.record(carol.node_key));
  CHECK(!alice.poll_inbox().ended);
  const auto last_self = [&] {
    Node out;
    for (auto& message : alice.read_all())
      if (message.node) out = *message.node;
    return out;
  };
  const Node expired = last_self();
  REQUIRE(expired.id != NodeId{});
  CHECK(expired.key_expiry.at <= desk.clock.now.wall - minutes{1});
  CHECK(!desk.record(alice.node_key)->key_expiry);
  rules.expire_all = false;
  REQUIRE(order(desk, SetRules{rules}) == 200);
  desk.advance(seconds{1});
  const Node alive = last_self();
  REQUIRE(alive.id != NodeId{});
  CHECK(alive.key_expiry.is_zero());
  CHECK(alice.enroll().machine_authorized);
  CHECK(carol.enroll().machine_authorized);
}

TEST_CASE("API-96: logging out is possible all the same") {
  TestDesk desk;
  Client alice(desk, 1);
  alice.enroll("");
  Rules rules;
  rules.expire_all = true;
  REQUIRE(desk.set(rules) == 200);
  auto out = alice.register_request("");
  out.expiry = WallTime{std::chrono::milliseconds{123'000}};
  CHECK(alice.send(out).node_key_expired);
  CHECK(desk.record(alice.node_key)->key_expiry == desk.clock.now.wall);
}

TEST_CASE("TEST-14: a node can be put whole, and says from then on what it was told") {
  TestDesk desk;
  Client alice(desk, 1);
  alice.enroll("");
  Node node;
  node.key = alice.node_key;
  node.name = "other.example.";
  node.user = UserId{77};
  node.key_expiry = Time(desk.clock.now.wall + minutes{5});
  node.machine = alice.machine;
  node.disco_key = make_key<DiscoPublic>(9);
  node.addresses = {IpPrefix::host(IpAddress::v4(0x64400909))};
  node.derp = "127.3.3.40:7";
  node.cap = Capability{100};
  node.tags = {"tag:b", "tag:a"};
  node.machine_authorized = true;
  node.cap_map = {{"one", {}}};
  node.capabilities = {"two"};
  node.is_jailed = true;
  REQUIRE(desk.order(put(node)) == 200);
  const NodeRecord& record = *desk.record(alice.node_key);
  CHECK(record.id == NodeId{1});
  CHECK(record.stable_id == "TESTCTRL00000001");
  CHECK(record.full_name == "other.example.");
  CHECK(record.user == UserId{77});
  CHECK(record.key_expiry == desk.clock.now.wall + minutes{5});
  CHECK(record.disco == node.disco_key);
  CHECK(record.v4.text() == "100.64.9.9");
  CHECK(record.home_derp == 7);
  CHECK(record.tags == std::vector<std::string>{"tag:a", "tag:b"});
  CHECK(record.capabilities == CapMap{{"one", {}}, {"two", {}}});
  REQUIRE(record.put);
  CHECK(record.put->is_jailed);
  CHECK(record.put->id == NodeId{});               // what the record says is not kept twice
  CHECK(record.put->addresses == node.addresses);  // it has no IPv6 address
}

TEST_CASE("TEST-14: members that nobody knows stay in it") {
  TestDesk desk;
  const NodePublic key = make_key<NodePublic>(500);
  REQUIRE(desk.order(PutNode{key, R"({"Name":"x","Novelty":{"a":[null]}})"}) == 200);
  const auto node = desk.coordinator.node(key);
  REQUIRE(node);
  CHECK(node->record->id == NodeId{1});
  REQUIRE(node->record->put);
  CHECK(node->record->put->extra.text() == R"({"Novelty":{"a":[null]}})");
  CHECK(!node->record->authorized);
}

TEST_CASE("TEST-14: any text is a tag of a node that was put, in test mode") {
  const bool test_mode = GENERATE(false, true);
  auto config = desk_config();
  config.test_mode = test_mode;
  Desk desk(config);
  const NodePublic key = make_key<NodePublic>(500);
  CHECK(order(desk, PutNode{key, R"({"Tags":["tag:a"]})"}) == 200);
  CHECK(order(desk, PutNode{key, R"({"Tags":["some-tag"]})"}) == (test_mode ? 200 : 400));
  CHECK(desk.record(key)->tags == std::vector<std::string>{test_mode ? "some-tag" : "tag:a"});
}

TEST_CASE("TEST-14: a node put as it is stored is as it was") {
  TestDesk desk;
  Client alice(desk, 1);
  alice.enroll("");
  alice.update();
  const NodeRecord before = *desk.record(alice.node_key);
  REQUIRE(desk.order(PutNode{alice.node_key, desk.coordinator.node_json(NodeId{1})}) == 200);
  const NodeRecord& after = *desk.record(alice.node_key);
  CHECK(!after.put);
  CHECK(after.full_name == before.full_name);
  CHECK(after.v4 == before.v4);
  CHECK(after.user == before.user);
  CHECK(after.capabilities == before.capabilities);
  CHECK(after.endpoints == before.endpoints);
  CHECK(after.home_derp == before.home_derp);
  CHECK(after.authorized == before.authorized);
  CHECK(after.key_expiry == before.key_expiry);
}

TEST_CASE("TEST-14: what can not be a node changes nothing") {
  TestDesk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll("");
  bob.enroll("");
  const NodePublic fresh = make_key<NodePublic>(500);
  CHECK(desk.order(PutNode{fresh, "{"}) == 400);
  CHECK(desk.order(PutNode{fresh, "null"}) == 400);
  CHECK(desk.order(PutNode{fresh, R"({"ID":"x"})"}) == 400);
  CHECK(desk.order(PutNode{{}, "{}"}) == 400);
  CHECK(desk.order(PutNode{fresh, R"({"Tags":[""]})"}) == 400);
  CHECK(desk.order(PutNode{fresh, R"({"ID":9007199254740992})"}) == 400);
  CHECK(desk.order(PutNode{fresh, R"({"ID":2})"}) == 409);
  CHECK(desk.order(PutNode{alice.node_key, R"({"ID":2})"}) == 400);
  Node other;
  other.key = bob.node_key;
  CHECK(desk.order(PutNode{fresh, encoded(other)}) == 400);
  CHECK(desk.coordinator.nodes().size() == 2);
  CHECK(!desk.record(alice.node_key)->put);
}

TEST_CASE("TEST-14: ids that were put are not given out") {
  TestDesk desk;
  for (std::uint64_t id = 2; id < 42; ++id)  // more than a stale plan is made again
    REQUIRE(desk.order(PutNode{make_key<NodePublic>(500 + id), R"({"ID":)" + std::to_string(id) + "}"}) ==
            200);
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll("");
  bob.enroll("");
  CHECK(desk.record(alice.node_key)->id == NodeId{1});
  CHECK(desk.record(bob.node_key)->id == NodeId{42});
}

TEST_CASE("TEST-15: fake nodes are nodes, as many as are wanted") {
  TestDesk desk;
  Client alice(desk, 1);
  const auto none = desk.done_with(AddFakeNodes{0});
  CHECK(none.status == 200);
  CHECK(none.body == R"({"keys":[]})");
  const auto many = desk.done_with(AddFakeNodes{2'000});  // more than a block of ids
  REQUIRE(many.status == 200);
  REQUIRE(desk.coordinator.nodes().size() == 2'000);
  const NodeRecord& first = *desk.coordinator.nodes()[0].record;
  CHECK(first.id == NodeId{1});
  CHECK(first.full_name == "fake-1");
  CHECK(first.v4.text() == "100.64.0.1");
  CHECK(first.stable_id == "TESTCTRL00000001");
  CHECK(first.authorized);
  CHECK(!first.machine.is_zero());
  CHECK(!first.disco.is_zero());
  CHECK(many.body.starts_with(R"({"keys":[")" + first.key.text() + "\","));
  CHECK(desk.coordinator.nodes()[1'999].record->id == NodeId{2'000});
  CHECK(alice.enroll("").user.id == UserId{2'001});
  CHECK(desk.order(AddFakeNodes{100'001}) == 400);
}

TEST_CASE("TEST-15: a server for people takes fake nodes too") {
  Desk desk;
  REQUIRE(order(desk, AddFakeNodes{3}) == 200);
  REQUIRE(desk.coordinator.nodes().size() == 3);
  for (const auto& node : desk.coordinator.nodes()) {
    CHECK(node.record->full_name.empty());
    CHECK(node.record->given_name.starts_with("fake-"));
    CHECK(is_assignable(node.record->v4));
  }
}

}  // namespace ts2021::test

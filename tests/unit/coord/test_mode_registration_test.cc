// SPDX-License-Identifier: BSD-3-Clause
// Registration in test mode: its table over all inputs, and what clients meet.
#include <fstream>
#include <set>
#include <sstream>

#include "coord/test_registration.h"
#include "support/catch.h"
#include "support/test_desk.h"

namespace ts2021::coord::test_registration {
namespace {

template <class E>
void turn(E& fact, std::size_t& number, std::size_t values) {
  fact = static_cast<E>(number % values);
  number /= values;
}

constexpr std::size_t fact_count = 2 * 3 * 4 * 3 * 2 * 4 * 3 * 2 * 2;

Facts facts_of(std::size_t number) {
  Facts facts;
  turn(facts.form, number, 2);
  turn(facts.auth_key, number, 3);
  turn(facts.holder, number, 4);
  turn(facts.wish, number, 3);
  turn(facts.keys, number, 2);
  turn(facts.followup, number, 4);
  turn(facts.old_key, number, 3);
  turn(facts.login, number, 2);
  turn(facts.door, number, 2);
  return facts;
}

struct Verdict {
  Outcome outcome;
  std::string_view text{};
  bool operator==(const Verdict&) const = default;
};

// The decision as the field's test server takes it, step by step.
Verdict decide(const Facts& facts) {
  if (facts.form == Form::malformed) return {Outcome::malformed, "the request has no version or no node key"};
  if (facts.auth_key == AuthKey::wrong) return {Outcome::refused, "invalid authkey"};
  if (facts.holder == Holder::stranger) return {Outcome::refused, "node key already in use"};
  const bool known = facts.holder != Holder::nobody, expired = facts.holder == Holder::expired;
  if (facts.wish == Wish::out) return {known ? Outcome::log_out : Outcome::stay_out};
  if (facts.keys == Keys::all_expired) return {Outcome::stay_out};
  if (facts.followup == Followup::waits) return {Outcome::hold};
  if (facts.followup == Followup::failed) return {Outcome::tell_failure};
  const bool ask = facts.login == Login::needed;
  if (expired && (facts.auth_key == AuthKey::none || ask)) return {Outcome::stay_out};
  if (!known && facts.old_key == OldKey::locked) return {Outcome::sign_again};
  if (ask && facts.door == Door::closed)
    return {Outcome::refused, "interactive login is not available on this server"};
  if (known) return {ask ? Outcome::ask : expired ? Outcome::renew : Outcome::welcome};
  if (facts.old_key == OldKey::known) return {ask ? Outcome::ask : Outcome::move};
  return {ask ? Outcome::create_and_ask : Outcome::create};
}

std::string page_table() {
  std::ostringstream out;
  out << "| | a request where … | outcome | `Error` or status text | rule |\n|---|---|---|---|---|\n";
  std::size_t number = 0;
  for (const Row& row : table())
    out << "| " << ++number << " | " << row.when << " | " << name(row.outcome) << " | " << row.text << " | "
        << row.rule << " |\n";
  return out.str();
}

}  // namespace

TEST_CASE("the table of test mode decides every request as the field's test server does") {
  std::set<const Row*> rows;
  std::set<Outcome> outcomes;
  for (std::size_t number = 0; number < fact_count; ++number) {
    const Facts facts = facts_of(number);
    const Row& row = row_for(facts);
    rows.insert(&row);
    outcomes.insert(row.outcome);
    if (Verdict{row.outcome, row.text} == decide(facts)) continue;
    INFO("facts " << number << ", row: " << row.when);
    CHECK(row.outcome == decide(facts).outcome);
    CHECK(row.text == decide(facts).text);
  }
  CHECK(rows.size() == table().size());
  CHECK(outcomes.size() == outcome_count);
}

TEST_CASE("the architecture page shows the table of test mode") {
  std::ifstream file(std::string(TS2021_TEST_DATA) + "/../../lib/ARCHITECTURE.md");
  std::ostringstream page;
  page << file.rdbuf();
  INFO("wanted:\n" << page_table());
  CHECK(page.str().find(page_table()) != std::string::npos);
}

}  // namespace ts2021::coord::test_registration

namespace ts2021::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

}  // namespace

TEST_CASE("TEST-1: each node key is a node of its own, also on the same machine") {
  TestDesk desk;
  Client alice(desk, 1);
  CHECK(alice.enroll("").machine_authorized);
  const NodePublic first = alice.node_key;
  auto out = alice.register_request("");
  out.expiry = WallTime{std::chrono::milliseconds{123'000}};
  CHECK(alice.send(out).node_key_expired);
  alice.node_key = make_key<NodePublic>(50);
  CHECK(alice.enroll("").machine_authorized);
  REQUIRE(desk.coordinator.nodes().size() == 2);
  CHECK(desk.record(first)->id == NodeId{1});
  CHECK(desk.record(first)->key_expiry == desk.clock.now.wall);
  CHECK(desk.record(alice.node_key)->id == NodeId{2});
  CHECK(desk.record(alice.node_key)->machine == desk.record(first)->machine);
}

TEST_CASE("TEST-2: ids count nodes and nothing else, in the order in which they came") {
  auto config = desk_config();  // its auth keys and owners have ids too, elsewhere
  config.test_mode = true;
  Desk desk(config);
  for (std::uint64_t n = 1; n <= 300; ++n) {
    Client client(desk, n);
    REQUIRE(client.enroll("").machine_authorized);
    REQUIRE(desk.record(client.node_key)->id == NodeId{n});
  }
  const auto nodes = desk.coordinator.nodes();
  CHECK(nodes[0].record->stable_id == "TESTCTRL00000001");
  CHECK(nodes[0].record->v4.text() == "100.64.0.1");
  CHECK(nodes[298].record->stable_id == "TESTCTRL0000012b");
  CHECK(nodes[298].record->v4.text() == "100.64.1.43");
}

TEST_CASE("TEST-2: whoever is refused takes no id") {
  TestDesk desk;
  Rules rules;
  rules.require_auth_key = "right";
  REQUIRE(desk.set(rules) == 200);
  Client alice(desk, 1);
  CHECK(alice.enroll("wrong").error == "invalid authkey");
  CHECK(desk.coordinator.nodes().empty());
  CHECK(alice.enroll("right").machine_authorized);
  CHECK(desk.record(alice.node_key)->id == NodeId{1});
}

TEST_CASE("TEST-3: each node key has a user of its own, or all have user 123") {
  TestDesk desk;
  Client alice(desk, 1), bob(desk, 2), carol(desk, 3);
  const auto first = alice.enroll("");
  CHECK(first.user.id == UserId{1});
  CHECK(first.user.display_name == "User 1");
  CHECK(first.login.provider == "testcontrol");
  CHECK(first.login.login_name == "user-1@fake-control.example.net");
  CHECK(bob.enroll("").login.login_name == "user-2@fake-control.example.net");
  Rules rules;
  rules.all_nodes_same_user = true;
  REQUIRE(desk.set(rules) == 200);
  const auto third = carol.enroll("");
  CHECK(third.user.id == UserId{123});
  CHECK(third.login.login_name == "user-123@fake-control.example.net");
  CHECK(desk.record(carol.node_key)->id == NodeId{3});
  CHECK(alice.enroll("").user.id == UserId{1});
}

TEST_CASE("TEST-4: names are bare hostnames, or hostnames in the domain of the rules") {
  TestDesk desk;
  Client alice(desk, 1), twin(desk, 2), odd(desk, 3), bob(desk, 4);
  alice.enroll("");
  twin.hostinfo.hostname = alice.hostinfo.hostname;
  twin.enroll("");
  odd.hostinfo.hostname = "an \"odd\" name";
  odd.enroll("");
  CHECK(desk.record(alice.node_key)->full_name == "host1");
  CHECK(desk.record(twin.node_key)->full_name == "host1");
  CHECK(desk.record(odd.node_key)->full_name == "an-odd-name");
  Rules rules;
  rules.magic_dns_domain = "magic.example";
  REQUIRE(desk.set(rules) == 200);
  bob.enroll("");
  CHECK(desk.record(bob.node_key)->full_name == "host4.magic.example.");
  CHECK(desk.record(alice.node_key)->full_name == "host1");
  bob.start_poll();
  CHECK(bob.next().node->name == "host4.magic.example.");
}

TEST_CASE("TEST-5: new nodes get the default capabilities, those of the rules or none") {
  TestDesk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll("");
  const CapMap usual{{"https", {}},
                     {"funnel", {}},
                     {"https://tailscale.com/cap/file-sharing", {}},
                     {"https://tailscale.com/cap/funnel-ports?ports=8080,443", {}}};
  CHECK(desk.record(alice.node_key)->capabilities == usual);
  Rules rules;
  rules.default_capabilities.emplace();
  REQUIRE(desk.set(rules) == 200);
  bob.enroll("");
  CHECK(desk.record(bob.node_key)->capabilities.empty());
  CHECK(desk.record(alice.node_key)->capabilities == usual);
}

TEST_CASE("TEST-6: no credential is asked for, and any will do") {
  TestDesk desk;
  Client alice(desk, 1), bob(desk, 2);
  CHECK(alice.enroll("").machine_authorized);
  CHECK(bob.enroll("whatever").machine_authorized);
  CHECK(desk.order(coord_command::AddAuthKey{{.secret = "key"}}) == 409);
  SECTION("an expired key lives again with one") {
    REQUIRE(desk.order(coord_command::SetExpiry{NodeId{1}, desk.clock.now.wall}) == 200);
    CHECK(alice.enroll("").node_key_expired);
    CHECK(alice.enroll("any").machine_authorized);
    CHECK(!desk.record(alice.node_key)->key_expiry);
  }
  SECTION("nobody is slowed down") {
    for (int i = 0; i < 200; ++i) REQUIRE(alice.enroll("").machine_authorized);
  }
}

TEST_CASE("TEST-6: a required auth key is required of every request") {
  TestDesk desk;
  Client alice(desk, 1);
  alice.enroll("");
  Rules rules;
  rules.require_auth_key = "right";
  REQUIRE(desk.set(rules) == 200);
  CHECK(alice.enroll("").error == "invalid authkey");
  CHECK(alice.enroll("right").machine_authorized);
}

TEST_CASE("TEST-10: a known OldNodeKey takes the node to the new key") {
  TestDesk desk;
  Rules rules;
  rules.require_approval = true;
  REQUIRE(desk.set(rules) == 200);
  Client alice(desk, 1);
  CHECK(!alice.enroll("").machine_authorized);
  REQUIRE(desk.order(coord_command::ApproveNode{NodeId{1}}) == 200);
  const NodeRecord before = *desk.record(alice.node_key);
  auto request = alice.register_request("");
  request.old_node_key = alice.node_key;
  request.node_key = alice.node_key = make_key<NodePublic>(77);
  SECTION("the old one lives") {}
  SECTION("the old one has expired") {
    REQUIRE(desk.order(coord_command::SetExpiry{NodeId{1}, desk.clock.now.wall}) == 200);
  }
  const auto reply = alice.send(request);
  CHECK(reply.machine_authorized);
  CHECK(reply.user.id == before.user);
  REQUIRE(desk.coordinator.nodes().size() == 1);
  const NodeRecord& after = *desk.record(alice.node_key);
  CHECK(after.id == before.id);
  CHECK(after.stable_id == before.stable_id);
  CHECK(after.v4 == before.v4);
  CHECK(after.user == before.user);
  CHECK(after.full_name == before.full_name);
  CHECK(after.authorized);
  CHECK(!after.key_expiry);
}

TEST_CASE("TEST-10: another machine's OldNodeKey is no reason to give its node away") {
  TestDesk desk;
  Client alice(desk, 1), mallory(desk, 2);
  alice.enroll("");
  auto request = mallory.register_request("");
  request.old_node_key = alice.node_key;
  CHECK(mallory.send(request).machine_authorized);
  CHECK(desk.coordinator.nodes().size() == 2);
  CHECK(desk.record(alice.node_key)->machine == alice.machine);
}

TEST_CASE("TEST-12: tags are believed of a newcomer and go over to what their owners own") {
  TestDesk desk;
  Client alice(desk, 1), bob(desk, 2);
  alice.hostinfo.request_tags = {"tag:a"};
  alice.enroll("");
  CHECK(desk.record(alice.node_key)->tags.empty());  // there are no owners
  Rules rules;
  rules.tag_owners = {{{"tag:a", {}}, {"tag:b", {"tag:a"}}, {"tag:c", {"tag:x"}}}};
  REQUIRE(desk.set(rules) == 200);
  bob.hostinfo.request_tags = {"tag:a"};
  bob.enroll("");
  const auto tags = [&] { return desk.record(bob.node_key)->tags; };
  CHECK(tags() == std::vector<std::string>{"tag:a"});
  bob.hostinfo.request_tags = {"tag:b"};
  bob.update();
  CHECK(tags() == std::vector<std::string>{"tag:b"});
  CHECK(!desk.record(bob.node_key)->key_expiry);
  SECTION("not to others") { bob.hostinfo.request_tags = {"tag:c"}; }
  SECTION("not to undefined ones") { bob.hostinfo.request_tags = {"tag:z"}; }
  SECTION("not to none") { bob.hostinfo.request_tags.clear(); }
  bob.update();
  CHECK(tags() == std::vector<std::string>{"tag:b"});
  CHECK(desk.record(bob.node_key)->key_expiry == desk.clock.now.wall);
}

TEST_CASE("TEST-12: a node without tags may take any that has owners") {
  TestDesk desk;
  Client alice(desk, 1);
  alice.enroll("");
  Rules rules;
  rules.tag_owners = {{{"tag:c", {"tag:x"}}}};
  REQUIRE(desk.set(rules) == 200);
  alice.hostinfo.request_tags = {"tag:c"};
  alice.update();
  CHECK(desk.record(alice.node_key)->tags == std::vector<std::string>{"tag:c"});
}

TEST_CASE("TEST-16: a map request of an unknown or foreign key is a bad one") {
  TestDesk desk;
  Client alice(desk, 1), mallory(desk, 2);
  alice.enroll("");
  SECTION("unknown") {}
  SECTION("another machine's") { mallory.node_key = alice.node_key; }
  mallory.start_poll();
  REQUIRE(mallory.poll_inbox().refused);
  CHECK(mallory.poll_inbox().refused->status == 400);
  CHECK(mallory.poll_inbox().refused->text == "node not found");
}

TEST_CASE("a server for tests can start again on what it has stored") {
  auto records = std::make_shared<MemoryRecords>();
  {
    TestDesk desk({}, records);
    Client alice(desk, 1);
    alice.enroll("");
  }
  TestDesk desk({}, records);
  Client alice(desk, 1), bob(desk, 2);
  CHECK(alice.enroll("").user.id == UserId{1});
  CHECK(bob.enroll("").machine_authorized);
  CHECK(desk.coordinator.nodes().size() == 2);
}

}  // namespace ts2021::test

// SPDX-License-Identifier: BSD-3-Clause
// What the owner of a tailnet orders, and what nodes see of it.
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/owned_tags.h"

namespace ts2021::test {
namespace {

using namespace coord_command;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

int order(Desk& desk, CoordOrder what) {
  const CommandId id = desk.order(std::move(what));
  desk.pump();
  REQUIRE(desk.done.contains(id));
  desk.advance(milliseconds{500});
  return desk.done.at(id).status;
}

// Two nodes that see each other and have read everything.
struct Pair {
  explicit Pair(CoordinatorConfig config = desk_config())
      : desk(std::move(config)), alice(desk, 1), bob(desk, 2) {
    for (auto* client : {&alice, &bob}) {
      client->enroll();
      client->start_poll();
    }
    settle();
    id = desk.record(alice.node_key)->id;
  }
  void settle() {
    desk.advance(seconds{1});
    alice.read_all();
    bob.read_all();
  }
  const NodeRecord& node() { return *desk.record(alice.node_key); }
  Desk desk;
  Client alice, bob;
  NodeId id{};
};

}  // namespace

TEST_CASE("orders about a node that is not there say so") {
  Desk desk;
  const NodeId nobody{77};
  CHECK(order(desk, ApproveNode{nobody, true}) == 404);
  CHECK(order(desk, SetExpiry{nobody, {}}) == 404);
  CHECK(order(desk, DeleteNode{nobody}) == 404);
  CHECK(order(desk, RenameNode{nobody, "x"}) == 404);
  CHECK(order(desk, SetTags{nobody, {}}) == 404);
  CHECK(order(desk, ApproveRoutes{nobody, {}}) == 404);
  CHECK(order(desk, SetCapabilities{nobody, {}}) == 404);
  CHECK(order(desk, SetPolicy{}) == 400);
}

TEST_CASE("API-92: an expiry is pushed on the open stream and can be taken back") {
  Pair both;
  CHECK(order(both.desk, SetExpiry{both.id, both.desk.clock.now.wall - hours{5}}) == 200);
  CHECK(both.node().key_expiry);
  CHECK(*both.node().key_expiry > both.desk.clock.now.wall - seconds{5});  // not in the far past
  auto own = both.alice.read_all();
  REQUIRE(own.size() == 1);
  REQUIRE(own[0].node);
  CHECK(own[0].node->key_expiry.at == *both.node().key_expiry);
  CHECK(!both.alice.poll_inbox().ended);
  auto seen = both.bob.read_all();
  REQUIRE(seen.size() == 1);
  REQUIRE(seen[0].peers_changed.size() == 1);
  CHECK(seen[0].peers_changed[0].expired);
  CHECK(both.alice.enroll("").node_key_expired);

  CHECK(order(both.desk, SetExpiry{both.id, {}}) == 200);
  own = both.alice.read_all();
  REQUIRE(own.size() == 1);
  REQUIRE(own[0].node);
  CHECK(own[0].node->key_expiry.is_zero());
  seen = both.bob.read_all();
  REQUIRE(seen.size() == 1);
  REQUIRE(seen[0].peers_changed.size() == 1);
  CHECK(!seen[0].peers_changed[0].expired);
  CHECK(both.alice.enroll("").machine_authorized);
}

TEST_CASE("API-95: a deleted node is told that its key has expired, and everybody else that it is gone") {
  Pair both;
  const auto v4 = both.node().v4;
  CHECK(order(both.desk, DeleteNode{both.id}) == 200);
  const auto own = both.alice.read_all();
  REQUIRE(own.size() == 1);
  REQUIRE(own[0].node);
  CHECK(!own[0].node->key_expiry.is_zero());
  CHECK(both.alice.poll_inbox().ended);
  const auto seen = both.bob.read_all();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].peers_removed == std::vector{both.id});
  both.alice.start_poll();
  REQUIRE(both.alice.poll_inbox().refused);
  CHECK(both.alice.poll_inbox().refused->status == 404);
  CHECK(order(both.desk, DeleteNode{both.id}) == 404);
  // Its key is unknown now: it comes back as a new node.
  CHECK(both.alice.enroll().machine_authorized);
  CHECK(both.node().id != both.id);
  CHECK(both.node().v4 != v4);
  CHECK(both.node().given_name == "host1");
}

TEST_CASE("API-93: a name that was set is unique and stays when the host is renamed") {
  Pair both;
  CHECK(order(both.desk, RenameNode{both.id, "host2"}) == 409);
  for (const auto* bad : {"-x", "x-", "X", "a.b", "a b"})
    CHECK(order(both.desk, RenameNode{both.id, bad}) == 400);
  CHECK(order(both.desk, RenameNode{both.id, std::string(64, 'a')}) == 400);
  CHECK(both.node().given_name == "host1");
  CHECK(order(both.desk, RenameNode{both.id, "printer"}) == 200);
  auto own = both.alice.read_all();
  REQUIRE(own.size() == 1);
  REQUIRE(own[0].node);
  CHECK(own[0].node->name == "printer.net.test.");
  both.alice.hostinfo.hostname = "another";
  both.alice.update();
  CHECK(both.node().given_name == "printer");
  CHECK(order(both.desk, RenameNode{both.id, ""}) == 200);
  CHECK(both.node().given_name == "another");
  both.alice.hostinfo.hostname = "third";
  both.alice.update();
  CHECK(both.node().given_name == "third");
  // What nobody has any more is free.
  const NodeId bob = both.desk.record(both.bob.node_key)->id;
  CHECK(order(both.desk, RenameNode{bob, "printer"}) == 200);
  CHECK(order(both.desk, RenameNode{bob, "printer"}) == 200);
  CHECK(order(both.desk, RenameNode{both.id, "host2"}) == 200);
}

TEST_CASE("API-94: tags end the expiry of a key, without tags it has one again") {
  auto config = desk_config();
  config.key_lifetime = hours{24};
  Pair both(config);
  CHECK(both.node().key_expiry);
  for (const auto* bad : {"web", "tag:", "tag:1", "tag:a b", "TAG:x"})
    CHECK(order(both.desk, SetTags{both.id, {bad}}) == 400);
  CHECK(order(both.desk, SetTags{both.id, {"tag:web", "tag:db", "tag:web"}}) == 200);
  CHECK(both.node().tags == Strings{"tag:db", "tag:web"});
  CHECK(!both.node().key_expiry);
  CHECK(order(both.desk, SetTags{both.id, {}}) == 200);
  CHECK(both.node().tags.empty());
  CHECK(both.node().key_expiry);
  // An expired key does not come to life by it.
  CHECK(order(both.desk, SetExpiry{both.id, both.desk.clock.now.wall}) == 200);
  CHECK(order(both.desk, SetTags{both.id, {"tag:web"}}) == 200);
  CHECK(both.node().key_expiry);
  CHECK(both.alice.enroll("").node_key_expired);
}

TEST_CASE("API-90: a node may wish for tags that its own tags or its user may give") {
  Pair both;
  order(both.desk, SetPolicy{std::make_shared<const OwnedTags>()});
  order(both.desk, SetTags{both.id, {"tag:web"}});
  const auto wish = [&](Strings tags) {
    both.alice.hostinfo.request_tags = std::move(tags);
    both.alice.update();
  };
  wish({"tag:web"});  // what it has
  CHECK(both.node().tags == Strings{"tag:web"});
  wish({"tag:web-test"});
  CHECK(both.node().tags == Strings{"tag:web-test"});
  CHECK(!both.node().key_expiry);
  // An administrator takes them away; the old wish does not bring them back.
  order(both.desk, SetTags{both.id, {}});
  wish({"tag:web-test"});
  CHECK(both.node().tags.empty());
  CHECK(!both.node().key_expiry);
  wish({"tag:db"});
  CHECK(both.node().tags.empty());
  CHECK(both.node().key_expiry);
  CHECK(both.alice.enroll("").node_key_expired);
}

TEST_CASE("API-90: tags are given back by a new login only") {
  Pair both;
  both.alice.hostinfo.request_tags = {"tag:web"};
  both.alice.update();
  CHECK(both.node().tags == Strings{"tag:web"});
  both.alice.hostinfo.request_tags.clear();
  both.alice.update();
  CHECK(both.node().tags == Strings{"tag:web"});
  CHECK(both.node().key_expiry);
  const auto old_key = both.alice.node_key;
  both.alice.node_key = make_key<NodePublic>(900);
  auto request = both.alice.register_request();
  request.old_node_key = old_key;
  CHECK(both.alice.send(request).machine_authorized);
  CHECK(both.node().id == both.id);
  CHECK(both.node().tags.empty());
}

TEST_CASE("API-91: nodes wait for approval, which belongs to the node and survives a new key") {
  auto config = desk_config();
  config.rules.require_approval = true;
  config.auth_keys.front().preauthorized = false;
  Desk desk(config);
  Client alice(desk, 1), bob(desk, 2);
  auto reply = alice.enroll();
  CHECK(reply.error.empty());
  CHECK(!reply.machine_authorized);
  CHECK(!desk.record(alice.node_key)->authorized);
  CHECK(!alice.enroll("").machine_authorized);
  CHECK(bob.enroll(ephemeral_key).machine_authorized);
  const NodeId id = desk.record(alice.node_key)->id;
  CHECK(order(desk, ApproveNode{id, true}) == 200);
  CHECK(alice.enroll("").machine_authorized);
  alice.node_key = make_key<NodePublic>(901);
  CHECK(alice.enroll().machine_authorized);
  CHECK(desk.record(alice.node_key)->id == id);
  CHECK(order(desk, ApproveNode{id, false}) == 200);
  CHECK(!alice.enroll("").machine_authorized);
}

TEST_CASE("routes and capabilities are kept as ordered") {
  Pair both;
  const auto route = IpPrefix::parse("10.1.2.3/16");
  REQUIRE(route);
  CHECK(order(both.desk, ApproveRoutes{both.id, {*route, route->masked()}}) == 200);
  CHECK(both.node().approved_routes == std::vector{route->masked()});
  CapMap given;
  given["https://example.com/cap/x"] = {};
  CHECK(order(both.desk, SetCapabilities{both.id, given}) == 200);
  CHECK(both.node().capabilities == given);
}

TEST_CASE("auth keys are added for users and revoked, and nodes stay") {
  Desk desk;
  PresetAuthKey key;
  key.secret = "new-key";
  key.reusable = false;
  key.tags = {"tag:web"};
  key.login_name = "carol@net.test";
  CHECK(order(desk, AddAuthKey{key}) == 200);
  CHECK(order(desk, AddAuthKey{key}) == 409);
  Client alice(desk, 1), bob(desk, 2), eve(desk, 3);
  CHECK(alice.enroll("new-key").machine_authorized);
  CHECK(desk.record(alice.node_key)->tags == Strings{"tag:web"});
  CHECK(bob.enroll("new-key").error == "authkey already used");
  key.secret = "another";
  key.tags.clear();
  key.expiry = desk.clock.now.wall + hours{1};
  key.reusable = true;
  CHECK(order(desk, AddAuthKey{key}) == 200);
  CHECK(bob.enroll("another").login.login_name == "carol@net.test");
  CHECK(desk.record(bob.node_key)->user == desk.record(alice.node_key)->user);
  CHECK(order(desk, RevokeAuthKey{"another"}) == 200);
  CHECK(order(desk, RevokeAuthKey{"unheard of"}) == 404);
  CHECK(eve.enroll("another").error == "authkey revoked");
  CHECK(bob.enroll("").machine_authorized);
  key.secret.clear();
  CHECK(order(desk, AddAuthKey{key}) == 400);
  key.secret = "cut--TLoff";
  CHECK(order(desk, AddAuthKey{key}) == 400);
  key.secret = "x";
  key.tags = {"web"};
  CHECK(order(desk, AddAuthKey{key}) == 400);
  key.tags.clear();
  key.login_name = "a b";
  CHECK(order(desk, AddAuthKey{key}) == 400);
}

TEST_CASE("API-53: preset keys have the owners and attributes of the configuration, also a changed one") {
  auto records = std::make_shared<MemoryRecords>();
  auto config = desk_config();
  config.auth_keys.resize(1);
  config.auth_keys[0].login_name = "dave@net.test";
  config.auth_keys[0].tags = {"tag:web"};
  {
    Desk desk(config, records);
    Client alice(desk, 1);
    CHECK(alice.enroll().machine_authorized);
    CHECK(desk.record(alice.node_key)->tags == Strings{"tag:web"});
    CHECK(order(desk, RevokeAuthKey{std::string(reusable_key)}) == 200);
  }
  config.auth_keys[0].tags.clear();
  config.auth_keys.push_back(config.auth_keys[0]);
  config.auth_keys[1].secret = "second";
  Desk desk(config, records);
  Client bob(desk, 2);
  CHECK(bob.enroll().error == "authkey revoked");  // whatever else has changed
  CHECK(bob.enroll("second").login.login_name == "dave@net.test");
  CHECK(desk.record(bob.node_key)->tags.empty());
}

TEST_CASE("orders that come before the store has been read wait") {
  MemoryStore store(std::make_shared<MemoryRecords>());
  SeededEntropy entropy(3);
  Clock clock;
  Coordinator coordinator(store, std::make_shared<const AllowAll>(), entropy, desk_config());
  coordinator.start(clock.now);
  coordinator.handle(CoordCommand{CommandId{9}, RevokeAuthKey{std::string(reusable_key)}}, clock.now);
  CHECK(!coordinator.next_event());
  StoreEvent event;
  int status = 0;
  while (store.poll({&event, 1}) == 1) {
    coordinator.on_store(event, clock.now);
    while (auto out = coordinator.next_event())
      if (const auto* done = std::get_if<coord_event::CommandDone>(&*out)) status = done->status;
  }
  CHECK(status == 200);
}

}  // namespace ts2021::test

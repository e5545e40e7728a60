// SPDX-License-Identifier: BSD-3-Clause
// Registration, as clients see it.
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/owned_tags.h"

namespace ts2021::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Puts an auth key with attributes of its own into the store, as an administrator would.
void add_auth_key(Desk& desk, std::string_view secret, const std::function<void(AuthKeyRecord&)>& change) {
  MemoryStore admin(desk.store.records());
  AuthKeyRecord record;
  record.id = 5'000 + std::hash<std::string_view>{}(secret) % 1'000;
  record.digest = auth_key_digest(secret);
  record.user = UserId{1};
  change(record);
  const Write write{RecordKind::auth_key, record.id, Revision{}, std::make_shared<const Record>(record)};
  admin.submit(Ticket{1}, {&write, 1});
  StoreEvent event;
  REQUIRE(admin.poll({&event, 1}) == 1);
  REQUIRE(std::holds_alternative<Committed>(event));
  desk.pump();
}

RegisterRequest logout(const Client& client) {
  RegisterRequest request = client.register_request();  // the auth key still comes along
  request.expiry = WallTime{milliseconds{123'000}};
  return request;
}

}  // namespace

TEST_CASE("API-52: a preset key lets a node in, and the answer names user and login") {
  Desk desk;
  Client alice(desk, 1);
  const auto reply = alice.enroll();
  CHECK(reply.error.empty());
  CHECK(reply.auth_url.empty());
  CHECK(reply.machine_authorized);
  CHECK(!reply.node_key_expired);
  CHECK(reply.user.id != UserId{});
  CHECK(reply.login.login_name == "owner@net.test");
  const auto* record = desk.record(alice.node_key);
  REQUIRE(record);
  CHECK(record->given_name == "host1");
  CHECK(!record->stable_id.empty());
  CHECK(is_assignable(record->v4));
  CHECK(record->machine == alice.machine);
  CHECK(!record->ephemeral);
  CHECK(desk.notices_of(NoticeKind::joined) == 1);
}

TEST_CASE("API-40: a request without version or node key is malformed") {
  Desk desk;
  Client alice(desk, 1);
  auto request = alice.register_request();
  SECTION("version") { request.version = Capability{}; }
  SECTION("node key") { request.node_key = NodePublic(); }
  const auto call = desk.send(alice.session, request);
  desk.pump();
  REQUIRE(desk.inbox(alice.session, call).refused);
  CHECK(desk.inbox(alice.session, call).refused->status == 400);
  CHECK(desk.coordinator.nodes().empty());
}

TEST_CASE("version 1 of TS2019 is welcome") {
  Desk desk;
  Client alice(desk, 1);
  auto request = alice.register_request();
  request.version = Capability{1};
  CHECK(alice.send(request).machine_authorized);
}

TEST_CASE("API-41: without an auth key an unknown node is told why, and no node is made") {
  Desk desk;
  Client alice(desk, 1);
  const auto reply = alice.enroll("");
  CHECK(reply.error == "interactive login is not available on this server: use an auth key");
  CHECK(!reply.machine_authorized);
  CHECK(desk.coordinator.nodes().empty());
  CHECK(desk.notices_of(NoticeKind::refused) == 1);
}

TEST_CASE("API-42: a node key never moves to another machine") {
  Desk desk;
  Client alice(desk, 1), mallory(desk, 2);
  alice.enroll();
  mallory.node_key = alice.node_key;
  CHECK(mallory.enroll().error == "node key already in use");
  CHECK(mallory.send(logout(mallory)).error == "node key already in use");
  CHECK(desk.record(alice.node_key)->machine == alice.machine);
  CHECK(!desk.record(alice.node_key)->key_expiry);
}

TEST_CASE("API-43: a logout is a logout whatever comes with it, and of an unknown key it makes no node") {
  Desk desk;
  Client alice(desk, 1), stranger(desk, 2);
  alice.enroll();
  const auto reply = alice.send(logout(alice));
  CHECK(reply.error.empty());
  CHECK(reply.node_key_expired);
  CHECK(!reply.machine_authorized);
  CHECK(stranger.send(logout(stranger)).error.empty());
  CHECK(desk.coordinator.nodes().size() == 1);
  SECTION("API-47: the key expires now") {
    CHECK(desk.record(alice.node_key)->key_expiry == desk.clock.now.wall);
  }
  SECTION("a second logout changes nothing") {
    const auto expiry = desk.record(alice.node_key)->key_expiry;
    desk.advance(seconds{5});
    alice.send(logout(alice));
    CHECK(desk.record(alice.node_key)->key_expiry == expiry);
  }
  SECTION("API-45: then the key alone is told that it has expired") {
    const auto again = alice.enroll("");
    CHECK(again.node_key_expired);
    CHECK(!again.machine_authorized);
    CHECK(again.error.empty());
  }
  SECTION("API-50: the same key with an auth key is the same node") {
    const NodeRecord before = *desk.record(alice.node_key);
    CHECK(alice.enroll().machine_authorized);
    const auto* after = desk.record(alice.node_key);
    CHECK(after->id == before.id);
    CHECK(after->v4 == before.v4);
    CHECK(!after->key_expiry);
  }
  SECTION("API-50: a new key with an auth key is the same node") {
    const NodeRecord before = *desk.record(alice.node_key);
    alice.node_key = make_key<NodePublic>(77);
    CHECK(alice.enroll().machine_authorized);
    const auto* after = desk.record(alice.node_key);
    REQUIRE(after);
    CHECK(after->id == before.id);
    CHECK(after->stable_id == before.stable_id);
    CHECK(after->v4 == before.v4);
    CHECK(after->given_name == before.given_name);
    CHECK(desk.coordinator.nodes().size() == 1);
  }
}

TEST_CASE("API-44: a known key is welcome with any auth key or none") {
  Desk desk;
  add_auth_key(desk, "once", [](AuthKeyRecord&) {});
  Client alice(desk, 1);
  REQUIRE(alice.enroll("once").machine_authorized);
  CHECK(alice.enroll("once").machine_authorized);
  CHECK(alice.enroll("").machine_authorized);
  CHECK(alice.enroll("nonsense").machine_authorized);
  CHECK(desk.coordinator.nodes().size() == 1);
}

TEST_CASE("a refresh brings the host up to date") {
  Desk desk;
  Client alice(desk, 1);
  alice.enroll();
  auto request = alice.register_request("");
  request.hostinfo->hostname = "renamed";
  request.nl_key = make_key<TailnetLockPublic>(5);
  alice.send(request);
  CHECK(desk.record(alice.node_key)->given_name == "renamed");
  CHECK(desk.record(alice.node_key)->lock_key == request.nl_key);
}

TEST_CASE("API-46: what is wrong with an auth key is told") {
  Desk desk;
  add_auth_key(desk, "revoked", [](AuthKeyRecord& key) { key.revoked = true; });
  add_auth_key(desk, "old", [&](AuthKeyRecord& key) { key.expiry = desk.clock.now.wall; });
  add_auth_key(desk, "spent", [](AuthKeyRecord& key) { key.used = true; });
  Client alice(desk, 1);
  CHECK(alice.enroll("who knows").error == "invalid auth key");
  CHECK(alice.enroll("revoked").error == "authkey revoked");
  CHECK(alice.enroll("old").error == "authkey expired");
  CHECK(alice.enroll("spent").error == "authkey already used");
  CHECK(desk.coordinator.nodes().empty());
}

TEST_CASE("API-51: a single-use key makes one node, also in a race") {
  Desk desk;
  add_auth_key(desk, "once", [](AuthKeyRecord&) {});
  Client alice(desk, 1), bob(desk, 2);
  // Both are decided on before either is committed.
  const auto a = desk.send(alice.session, alice.register_request("once"));
  const auto b = desk.send(bob.session, bob.register_request("once"));
  desk.pump();
  const auto& first = desk.inbox(alice.session, a);
  const auto& second = desk.inbox(bob.session, b);
  REQUIRE(first.reply);
  REQUIRE(second.reply);
  CHECK(first.reply->machine_authorized);
  CHECK(second.reply->error == "authkey already used");
  CHECK(desk.coordinator.nodes().size() == 1);
  // What was reserved for the loser is free again.
  CHECK(bob.enroll().machine_authorized);
  CHECK(desk.record(bob.node_key)->given_name == "host2");
}

TEST_CASE("tagged keys make tagged nodes that do not expire") {
  auto config = desk_config();
  config.key_lifetime = hours{24};
  Desk desk(config);
  add_auth_key(desk, "tagged", [](AuthKeyRecord& key) {
    key.tags = {"tag:web"};
    key.reusable = true;
  });
  Client alice(desk, 1), bob(desk, 2);
  alice.enroll("tagged");
  bob.enroll();
  CHECK(desk.record(alice.node_key)->tags == std::vector<std::string>{"tag:web"});
  CHECK(!desk.record(alice.node_key)->key_expiry);
  CHECK(desk.record(bob.node_key)->key_expiry == desk.clock.now.wall + hours{24});
}

TEST_CASE("API-49: an expiry in the future only ever shortens") {
  auto config = desk_config();
  config.key_lifetime = hours{24};
  Desk desk(config);
  Client alice(desk, 1);
  auto request = alice.register_request();
  alice.send(request);
  const auto start = desk.clock.now.wall;
  request.expiry = start + hours{2};
  CHECK(alice.send(request).machine_authorized);
  CHECK(desk.record(alice.node_key)->key_expiry == start + hours{2});
  request.expiry = start + hours{3};
  CHECK(alice.send(request).machine_authorized);
  CHECK(desk.record(alice.node_key)->key_expiry == start + hours{2});
  desk.advance(hours{2});
  CHECK(desk.notices_of(NoticeKind::expired) == 1);
  CHECK(alice.enroll("").node_key_expired);
}

TEST_CASE("API-49: an expiry centuries away is no deadline that has come") {
  Desk desk;
  Client alice(desk, 1);
  auto request = alice.register_request();
  request.expiry = *Time::parse("9999-12-31T00:00:00Z");
  CHECK(alice.send(request).machine_authorized);
  CHECK(desk.record(alice.node_key)->key_expiry == request.expiry.at);
  REQUIRE(desk.coordinator.next_timeout());
  CHECK(*desk.coordinator.next_timeout() > desk.clock.now.mono);
}

TEST_CASE("API-45: an expired key with an auth key that is not valid is told that it has expired") {
  Desk desk;
  add_auth_key(desk, "once", [](AuthKeyRecord&) {});
  Client alice(desk, 1);
  REQUIRE(alice.enroll("once").machine_authorized);
  REQUIRE(alice.send(logout(alice)).node_key_expired);
  const auto reply = alice.enroll("once");
  CHECK(reply.node_key_expired);
  CHECK(reply.error.empty());
  // With the new key that it makes then, the auth key is looked at.
  alice.node_key = make_key<NodePublic>(78);
  CHECK(alice.enroll("once").error == "authkey already used");
}

TEST_CASE("API-87: an auth key may give the tags it has and those that its owner may give") {
  Desk desk;
  desk.order(coord_command::SetPolicy{std::make_shared<const OwnedTags>()});
  add_auth_key(desk, "tagged", [](AuthKeyRecord& key) {
    key.tags = {"tag:web"};
    key.reusable = true;
  });
  Client alice(desk, 1), bob(desk, 2);
  alice.hostinfo.request_tags = {"tag:web-test", "tag:web"};
  CHECK(alice.enroll("tagged").machine_authorized);
  CHECK(desk.record(alice.node_key)->tags == std::vector<std::string>{"tag:web", "tag:web-test"});
  bob.hostinfo.request_tags = {"tag:db", "no tag"};
  CHECK(bob.enroll("tagged").error == "requested tags [no tag tag:db] are invalid or not permitted");
  CHECK(bob.enroll().error == "requested tags [no tag tag:db] are invalid or not permitted");
  CHECK(!desk.record(bob.node_key));
}

TEST_CASE("API-89: a key that lives may be replaced silently where that is allowed") {
  auto config = desk_config();
  config.silent_rotation = GENERATE(true, false);
  Desk desk(config);
  Client alice(desk, 1), mallory(desk, 2);
  alice.enroll();
  const NodeRecord before = *desk.record(alice.node_key);
  mallory.node_key = make_key<NodePublic>(79);
  auto request = mallory.register_request("");
  request.old_node_key = before.key;
  CHECK(!mallory.send(request).error.empty());
  alice.node_key = make_key<NodePublic>(80);
  request = alice.register_request("");
  request.old_node_key = before.key;
  const auto reply = alice.send(request);
  CHECK(reply.machine_authorized == config.silent_rotation);
  CHECK(reply.error.empty() == config.silent_rotation);
  CHECK(!!desk.record(before.key) != config.silent_rotation);
  if (config.silent_rotation) CHECK(desk.record(alice.node_key)->id == before.id);
}

TEST_CASE("API-48: logout of an ephemeral node deletes it") {
  Desk desk;
  Client alice(desk, 1), bob(desk, 2);
  if (GENERATE(true, false)) {
    alice.enroll(ephemeral_key);
  } else {  // by its own wish
    auto request = alice.register_request();
    request.ephemeral = true;
    alice.send(request);
  }
  REQUIRE(desk.record(alice.node_key)->ephemeral);
  bob.enroll();
  bob.start_poll();
  REQUIRE(bob.next().peers.size() == 1);
  const NodeId id = desk.record(alice.node_key)->id;
  CHECK(alice.send(logout(alice)).node_key_expired);
  CHECK(!desk.record(alice.node_key));
  desk.advance(seconds{1});
  const auto told = bob.read_all();
  REQUIRE(told.size() == 1);
  CHECK(told[0].peers_removed == std::vector{id});
  // It may come back as a new node.
  CHECK(alice.enroll(ephemeral_key).machine_authorized);
  CHECK(desk.record(alice.node_key)->id != id);
}

TEST_CASE("API-55: an ephemeral node that stays away is deleted, one that comes back is not") {
  auto config = desk_config();
  config.ephemeral_timeout = seconds{60};
  Desk desk(config);
  Client alice(desk, 1), bob(desk, 2), never(desk, 3), lasting(desk, 4);
  for (auto* client : {&alice, &bob}) {
    client->enroll(ephemeral_key);
    client->start_poll();
  }
  never.enroll(ephemeral_key);
  lasting.enroll();
  desk.advance(seconds{50});
  desk.cancel(alice.session, alice.poll);
  desk.cancel(bob.session, bob.poll);
  desk.advance(seconds{50});
  CHECK(!desk.record(never.node_key));
  bob.start_poll();
  desk.advance(seconds{30});
  CHECK(!desk.record(alice.node_key));
  CHECK(desk.record(bob.node_key));
  CHECK(desk.record(lasting.node_key));
  CHECK(desk.notices_of(NoticeKind::removed) == 2);
}

TEST_CASE("API-53: what is not configured any more is not valid any more; the rest survives a restart") {
  auto records = std::make_shared<MemoryRecords>();
  NodeRecord before;
  {
    Desk desk(desk_config(), records);
    Client alice(desk, 1);
    alice.enroll();
    before = *desk.record(alice.node_key);
  }
  auto config = desk_config();
  config.auth_keys = {{"another", false}, {"another", false}, {"", false}};
  Desk desk(config, records);
  Client alice(desk, 1), bob(desk, 2), eve(desk, 3);
  const auto* after = desk.record(alice.node_key);
  REQUIRE(after);
  CHECK(after->id == before.id);
  CHECK(after->v4 == before.v4);
  CHECK(alice.enroll("").machine_authorized);
  CHECK(bob.enroll(reusable_key).error == "invalid auth key");
  CHECK(eve.enroll("another").machine_authorized);
  CHECK(desk.record(eve.node_key)->id > before.id);
  CHECK(desk.record(eve.node_key)->v4 != before.v4);
}

TEST_CASE("requests that come before the store has been read wait") {
  auto records = std::make_shared<MemoryRecords>();
  MemoryStore store(records);
  SeededEntropy entropy(3);
  Clock clock;
  Coordinator coordinator(store, std::make_shared<const AllowAll>(), entropy, desk_config());
  coordinator.start(clock.now);
  RegisterRequest request;
  request.version = newest_capability;
  request.node_key = make_key<NodePublic>(1);
  request.auth.emplace().auth_key = reusable_key;
  coordinator.handle(coord_input::Opened{SessionId{1}, make_key<MachinePublic>(2), newest_capability},
                     clock.now);
  coordinator.handle(
      coord_input::Register{SessionId{1}, CallId{1}, std::make_shared<const RegisterRequest>(request)},
      clock.now);
  CHECK(!coordinator.ready());
  CHECK(!coordinator.next_event());
  StoreEvent event;
  bool answered = false;
  while (store.poll({&event, 1}) == 1) {
    coordinator.on_store(event, clock.now);
    while (auto out = coordinator.next_event())
      if (const auto* reply = std::get_if<coord_event::RegisterReply>(&*out))
        answered = reply->reply->machine_authorized;
  }
  CHECK(coordinator.ready());
  CHECK(answered);
}

TEST_CASE("API-54: a register request that was cancelled before its turn changes nothing") {
  auto records = std::make_shared<MemoryRecords>();
  MemoryStore store(records);
  SeededEntropy entropy(3);
  Clock clock;
  Coordinator coordinator(store, std::make_shared<const AllowAll>(), entropy, desk_config());
  coordinator.start(clock.now);
  RegisterRequest request;
  request.version = newest_capability;
  request.node_key = make_key<NodePublic>(1);
  request.auth.emplace().auth_key = reusable_key;
  coordinator.handle(coord_input::Opened{SessionId{1}, make_key<MachinePublic>(2), newest_capability},
                     clock.now);
  coordinator.handle(
      coord_input::Register{SessionId{1}, CallId{1}, std::make_shared<const RegisterRequest>(request)},
      clock.now);
  SECTION("by itself") { coordinator.handle(coord_input::Cancelled{SessionId{1}, CallId{1}}, clock.now); }
  SECTION("with its connection") { coordinator.handle(coord_input::Gone{SessionId{1}}, clock.now); }
  StoreEvent event;
  while (store.poll({&event, 1}) == 1) {
    coordinator.on_store(event, clock.now);
    CHECK(!coordinator.next_event());
  }
  CHECK(coordinator.ready());
  CHECK(coordinator.nodes().empty());
}

TEST_CASE("more nodes than one block of ids") {
  Desk desk;
  std::vector<Client> clients;
  std::vector<CallId> calls;
  clients.reserve(700);
  for (std::uint64_t i = 0; i < 700; ++i) {
    clients.emplace_back(desk, i + 1);
    calls.push_back(desk.send(clients.back().session, clients.back().register_request()));
  }
  desk.pump();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const auto& box = desk.inbox(clients[i].session, calls[i]);
    REQUIRE(box.reply);
    REQUIRE(box.reply->machine_authorized);
  }
  CHECK(desk.coordinator.nodes().size() == 700);
}

TEST_CASE("one machine can not queue without end") {
  auto config = desk_config();
  config.register_burst = 0;
  Desk desk(config);
  Client alice(desk, 1);
  std::vector<CallId> calls;
  for (int i = 0; i < 400; ++i) calls.push_back(desk.send(alice.session, alice.register_request()));
  desk.pump();
  std::size_t refused = 0, answered = 0;
  for (const auto call : calls) {
    const auto& box = desk.inbox(alice.session, call);
    refused += box.refused && box.refused->status == 503 && box.refused->retry_after;
    answered += !!box.reply;
  }
  CHECK(refused + answered == 400);
  CHECK(refused > 0);
  CHECK(answered >= 256);
}

}  // namespace ts2021::test

// SPDX-License-Identifier: BSD-3-Clause
// Logins in test mode, as clients and tests see them.
#include "coord/test_logins.h"

#include "support/catch.h"
#include "support/test_desk.h"

namespace ts2021::test {
namespace {

using namespace coord_command;
using std::chrono::hours;

Rules with_login() {
  Rules rules;
  rules.require_auth = true;
  return rules;
}

std::string id_of(std::string_view url) { return std::string(coord::test_login_id(url)); }

CallId follow(Client& client, const std::string& url) {
  RegisterRequest request = client.register_request("");
  request.followup = url;
  const CallId call = client.desk->send(client.session, request);
  client.desk->pump();
  return call;
}

Inbox& box(Client& client, CallId call) { return client.desk->inbox(client.session, call); }

}  // namespace

TEST_CASE("TEST-9: the node is there before its login completes, and the answer names its user") {
  TestDesk desk(with_login());
  Client alice(desk, 1);
  const auto reply = alice.enroll("");
  CHECK(!reply.machine_authorized);
  CHECK(reply.user.id == UserId{1});
  CHECK(reply.login.login_name == "user-1@fake-control.example.net");
  REQUIRE(desk.coordinator.node(alice.node_key));
  CHECK(desk.coordinator.node(alice.node_key)->record->id == NodeId{1});
  CHECK(desk.coordinator.nodes().size() == 1);
  CHECK(!desk.coordinator.node(make_key<NodePublic>(99)));
}

TEST_CASE("TEST-8: an auth URL has 20 hexadecimal digits, another each time, and each completes the key") {
  TestDesk desk(with_login());
  Client alice(desk, 1);
  const std::string first = alice.enroll("").auth_url, second = alice.enroll("an auth key").auth_url;
  const std::string before = "http://control.test/auth/";
  REQUIRE(first.starts_with(before));
  CHECK(first.size() == before.size() + 20);
  CHECK(first.find_first_not_of("0123456789abcdef", before.size()) == std::string::npos);
  CHECK(second.starts_with(before));
  CHECK(first != second);
  CHECK(desk.coordinator.nodes().size() == 1);
  REQUIRE(desk.order(CompleteLogin{id_of(first), {}}) == 200);
  CHECK(alice.enroll("").machine_authorized);
  CHECK(alice.enroll("").auth_url.empty());
}

TEST_CASE("TEST-8: a key is asked again when it has expired, and so is one that was in before") {
  TestDesk desk;
  Client alice(desk, 1);
  alice.enroll("");
  REQUIRE(desk.set(with_login()) == 200);
  const std::string url = alice.enroll("").auth_url;
  REQUIRE(!url.empty());
  REQUIRE(desk.order(CompleteLogin{id_of(url), {}}) == 200);
  REQUIRE(alice.enroll("").machine_authorized);
  REQUIRE(desk.order(SetExpiry{NodeId{1}, desk.clock.now.wall}) == 200);
  CHECK(alice.enroll("an auth key").node_key_expired);  // so that the client makes a new key
  auto request = alice.register_request("");
  request.old_node_key = alice.node_key;
  request.node_key = make_key<NodePublic>(50);
  CHECK(!alice.send(request).auth_url.empty());
}

TEST_CASE("TEST-7: a followup is found by its path alone, and held until the login is completed") {
  TestDesk desk(with_login());
  Client alice(desk, 1);
  const std::string id = id_of(alice.enroll("").auth_url);
  const CallId direct = follow(alice, "http://control.test/auth/" + id);
  const CallId proxied = follow(alice, "https://proxy.example:8443/auth/" + id);
  desk.advance(hours{1});
  CHECK(!box(alice, direct).reply);
  CHECK(!box(alice, proxied).reply);
  REQUIRE(desk.order(CompleteLogin{id, "ignored@example.com"}) == 200);
  for (const CallId call : {direct, proxied}) {
    REQUIRE(box(alice, call).reply);
    CHECK(box(alice, call).reply->machine_authorized);
    CHECK(box(alice, call).reply->auth_url.empty());
    CHECK(box(alice, call).reply->login.login_name == "user-1@fake-control.example.net");
  }
  SECTION("later ones are not held") {
    const CallId late = follow(alice, "http://control.test/auth/" + id);
    REQUIRE(box(alice, late).reply);
    CHECK(box(alice, late).reply->machine_authorized);
  }
}

TEST_CASE("TEST-7: a followup of an unknown login is decided as if it were none") {
  TestDesk desk(with_login());
  Client alice(desk, 1);
  const CallId call = follow(alice, "http://control.test/auth/00000000000000000000");
  REQUIRE(box(alice, call).reply);
  CHECK(!box(alice, call).reply->auth_url.empty());
}

TEST_CASE("TEST-7: a followup whose client goes away is forgotten, its login is not") {
  TestDesk desk(with_login());
  Client alice(desk, 1), again(desk, 1);
  const std::string url = alice.enroll("").auth_url;
  const CallId call = follow(alice, url);
  SECTION("a stream") { desk.cancel(alice.session, call); }
  SECTION("a connection") { desk.gone(alice.session); }
  REQUIRE(desk.order(CompleteLogin{id_of(url), {}}) == 200);
  CHECK(!box(alice, call).reply);
  CHECK(again.enroll("").machine_authorized);
}

TEST_CASE("TEST-7: of too many followups the oldest is told") {
  TestDesk desk(with_login());
  Client alice(desk, 1);
  const std::string url = alice.enroll("").auth_url;
  const CallId oldest = follow(alice, url);
  for (std::size_t i = 0; i < coord::TestLogins::max_waiting; ++i) follow(alice, url);
  REQUIRE(box(alice, oldest).reply);
  CHECK(!box(alice, oldest).reply->error.empty());
}

TEST_CASE("TEST-10: while a login waits, the old key goes on") {
  TestDesk desk;
  Client alice(desk, 1);
  alice.enroll("");
  alice.start_poll();
  alice.read_all();
  REQUIRE(desk.set(with_login()) == 200);
  const NodePublic old = alice.node_key;
  auto request = alice.register_request("");
  request.old_node_key = old;
  request.node_key = make_key<NodePublic>(50);
  const std::string url = alice.send(request).auth_url;
  REQUIRE(!url.empty());
  CHECK(desk.coordinator.nodes().size() == 1);
  CHECK(desk.coordinator.node(old));
  CHECK(!alice.poll_inbox().ended);
  request.followup = url;
  const CallId call = desk.send(alice.session, request);
  desk.pump();
  CHECK(desk.coordinator.node(old));
  REQUIRE(desk.order(CompleteLogin{id_of(url), {}}) == 200);
  REQUIRE(box(alice, call).reply);
  CHECK(box(alice, call).reply->machine_authorized);
  CHECK(!desk.coordinator.node(old));
  REQUIRE(desk.coordinator.node(request.node_key));
  CHECK(desk.coordinator.node(request.node_key)->record->id == NodeId{1});
  CHECK(desk.coordinator.nodes().size() == 1);
}

TEST_CASE("TEST-11: completing is known for good, failing ends a login with its text") {
  TestDesk desk(with_login());
  Client alice(desk, 1);
  const std::string url = alice.enroll("").auth_url;
  const CallId call = follow(alice, url);
  CHECK(desk.order(CompleteLogin{"ffffffffffffffffffff", {}}) == 404);
  CHECK(desk.order(FailLogin{"ffffffffffffffffffff", "no"}) == 404);
  SECTION("completed") {
    CHECK(desk.order(CompleteLogin{id_of(url), {}}) == 200);
    CHECK(desk.order(CompleteLogin{id_of(url), {}}) == 200);
    CHECK(desk.order(FailLogin{id_of(url), "no"}) == 409);
    CHECK(alice.enroll("").machine_authorized);
  }
  SECTION("failed") {
    CHECK(desk.order(FailLogin{id_of(url), "not you"}) == 200);
    REQUIRE(box(alice, call).reply);
    CHECK(box(alice, call).reply->error == "not you");
    CHECK(desk.order(CompleteLogin{id_of(url), {}}) == 409);
    const CallId late = follow(alice, url);
    REQUIRE(box(alice, late).reply);
    CHECK(box(alice, late).reply->error == "not you");
    CHECK(!alice.enroll("").auth_url.empty());
  }
}

TEST_CASE("logins of test mode are bounded: the oldest is forgotten, its followups are told") {
  SeededEntropy entropy(1);
  coord::TestLogins logins(entropy);
  std::vector<CoordEvent> events;
  const std::string first = logins.begin({}, make_key<NodePublic>(1), events);
  logins.hold(first, {{SessionId{1}, CallId{1}}, {}, nullptr}, events);
  for (std::size_t i = 1; i < coord::TestLogins::max_logins; ++i) (void)logins.begin({}, {}, events);
  CHECK(events.empty());
  CHECK(logins.state(first) == coord::TestLogins::State::open);
  (void)logins.begin({}, {}, events);
  CHECK(events.size() == 1);
  CHECK(logins.state(first) == coord::TestLogins::State::none);
}

TEST_CASE("the id of a login stands behind the first /auth/ of a URL") {
  CHECK(coord::test_login_id("http://a/auth/12?x=1") == "12");
  CHECK(coord::test_login_id("/auth/12") == "12");
  CHECK(coord::test_login_id("http://a/b/12").empty());
  CHECK(coord::test_login_id("").empty());
}

TEST_CASE("TEST-7: a page finds an open login and decides on it") {
  TestDesk desk(with_login());
  Client alice(desk, 1);
  const std::string url = alice.enroll("").auth_url, id = id_of(url);
  const CallId held = follow(alice, url);
  const auto say = [&](Question question) {
    const SessionId page = desk.open(make_key<MachinePublic>(99));
    const CallId call = desk.ask(page, {}, std::move(question));
    desk.pump();
    return desk.inbox(page, call);
  };
  const auto found = say(question::FindPending{id});
  REQUIRE(found.answer);
  const auto& pending = std::get<answer::Pending>(*found.answer);
  CHECK(pending.kind == PendingKind::login);
  CHECK(pending.id == id);
  CHECK(pending.hostname == "host1");
  CHECK(pending.os == "linux");
  CHECK(pending.node_key == alice.node_key);
  CHECK(pending.machine == alice.machine);
  CHECK(say(question::FindPending{"00000000000000000000"}).refused->status == 404);
  CHECK(!box(alice, held).reply);
  SECTION("yes") {
    CHECK(say(question::DecidePending{id, "anybody@net.test", ""}).answer);
    REQUIRE(box(alice, held).reply);
    CHECK(box(alice, held).reply->machine_authorized);
    CHECK(box(alice, held).reply->login.login_name == "user-1@fake-control.example.net");
  }
  SECTION("no") {
    CHECK(say(question::DecidePending{id, "", "go away"}).answer);
    REQUIRE(box(alice, held).reply);
    CHECK(box(alice, held).reply->error == "go away");
  }
  CHECK(say(question::FindPending{id}).refused->status == 404);
  CHECK(say(question::DecidePending{id, "anybody@net.test", ""}).refused->status == 404);
}

}  // namespace ts2021::test

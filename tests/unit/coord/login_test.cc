// SPDX-License-Identifier: BSD-3-Clause
// Interactive logins, as clients and those who decide on them see them.
#include "coord/logins.h"
#include "coord/pace.h"
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/owned_tags.h"

namespace ts2021::test {
namespace {

using namespace coord_command;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

CoordinatorConfig login_config() {
  auto config = desk_config();
  config.rules.login_url = "https://login.test";
  return config;
}

std::string id_of(const std::string& auth_url) { return auth_url.substr(auth_url.rfind('/') + 1); }

// A client on its way through a login.
struct Guest : Client {
  using Client::Client;

  std::string ask() {
    const auto reply = send(register_request(""));
    CHECK(reply.error.empty());
    CHECK(!reply.machine_authorized);
    url = reply.auth_url;
    return url;
  }
  CallId follow() {
    RegisterRequest request = register_request("");
    request.followup = url;
    const CallId call = desk->send(session, request);
    desk->pump();
    return call;
  }
  Inbox& box(CallId call) { return desk->inbox(session, call); }

  std::string url;
};

int order(Desk& desk, CoordOrder what) {
  const CommandId id = desk.order(std::move(what));
  desk.pump();
  REQUIRE(desk.done.contains(id));
  return desk.done.at(id).status;
}
int complete(Desk& desk, const std::string& url, std::string login = "alice@net.test") {
  return order(desk, CompleteLogin{id_of(url), std::move(login)});
}

}  // namespace

TEST_CASE("API-83: without an auth key a person is asked, and no node is made before they agree") {
  Desk desk(login_config());
  Guest alice(desk, 1), bob(desk, 2);
  const std::string url = alice.ask();
  CHECK(url.starts_with("https://login.test/a/"));
  CHECK(id_of(url).size() >= 20);
  CHECK(bob.ask() != url);
  CHECK(desk.coordinator.nodes().empty());
}

TEST_CASE("API-82: a followup is held until the login is complete") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  alice.ask();
  const auto call = alice.follow();
  desk.advance(minutes{10});
  CHECK(!alice.box(call).reply);
  CHECK(complete(desk, alice.url) == 200);
  REQUIRE(alice.box(call).reply);  // API-85
  CHECK(alice.box(call).reply->machine_authorized);
  CHECK(alice.box(call).reply->auth_url.empty());
  CHECK(alice.box(call).reply->login.login_name == "alice@net.test");
  REQUIRE(desk.record(alice.node_key));
  CHECK(desk.record(alice.node_key)->machine == alice.machine);
  CHECK(desk.record(alice.node_key)->given_name == "host1");
  CHECK(complete(desk, alice.url) == 404);
}

TEST_CASE("API-85: a login may be complete before the followup comes") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  alice.ask();
  CHECK(complete(desk, alice.url) == 200);
  const auto call = alice.follow();
  REQUIRE(alice.box(call).reply);
  CHECK(alice.box(call).reply->machine_authorized);
}

TEST_CASE("API-85: a denied login is told to the held followup and forgotten") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  alice.ask();
  const auto call = alice.follow();
  CHECK(order(desk, FailLogin{id_of(alice.url), "not today"}) == 200);
  REQUIRE(alice.box(call).reply);
  CHECK(alice.box(call).reply->error == "not today");
  CHECK(!alice.box(call).reply->machine_authorized);
  CHECK(order(desk, FailLogin{id_of(alice.url), "not today"}) == 404);
  CHECK(desk.coordinator.nodes().empty());
  const std::string old = alice.url;
  CHECK(alice.ask() != old);
}

TEST_CASE("API-84: a login that nobody completes in time goes on under a new URL") {
  auto config = login_config();
  config.login_timeout = minutes{5};
  Desk desk(config);
  Guest alice(desk, 1), gone(desk, 2);
  auto request = alice.register_request("");
  request.ephemeral = true;
  alice.url = alice.send(request).auth_url;
  gone.ask();
  const auto call = alice.follow();
  desk.advance(minutes{5} - seconds{1});
  CHECK(!alice.box(call).reply);
  desk.advance(seconds{1});
  REQUIRE(alice.box(call).reply);
  const std::string url = alice.box(call).reply->auth_url;
  CHECK(url.starts_with("https://login.test/a/"));
  CHECK(url != alice.url);
  CHECK(complete(desk, alice.url) == 404);
  CHECK(complete(desk, gone.url) == 404);
  alice.url = url;
  const auto again = alice.follow();
  CHECK(!alice.box(again).reply);
  CHECK(complete(desk, url) == 200);
  CHECK(alice.box(again).reply->machine_authorized);
  // The followups did not say so.
  CHECK(desk.record(alice.node_key)->ephemeral);
}

TEST_CASE("API-84: a followup of a login that is not known gets a new URL") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  alice.url = "https://login.test/a/fromBeforeTheRestart";
  const auto call = alice.follow();
  REQUIRE(alice.box(call).reply);
  CHECK(!alice.box(call).reply->auth_url.empty());
  CHECK(alice.box(call).reply->auth_url != alice.url);
}

TEST_CASE("API-83: a second request of the machine keeps the URL and replaces the key") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  const std::string url = alice.ask();
  const auto held = alice.follow();
  const auto old_key = alice.node_key;
  alice.node_key = make_key<NodePublic>(500);
  CHECK(alice.ask() == url);
  REQUIRE(alice.box(held).reply);
  CHECK(!alice.box(held).reply->error.empty());
  const auto call = alice.follow();
  CHECK(complete(desk, url) == 200);
  CHECK(alice.box(call).reply->machine_authorized);
  CHECK(desk.record(alice.node_key));
  CHECK(!desk.record(old_key));
  CHECK(desk.coordinator.nodes().size() == 1);
}

TEST_CASE("API-82: a followup must match in machine and key as well") {
  Desk desk(login_config());
  Guest alice(desk, 1), mallory(desk, 2);
  alice.ask();
  mallory.url = alice.url;
  SECTION("another machine gets a login of its own") {
    const auto call = mallory.follow();
    REQUIRE(mallory.box(call).reply);
    CHECK(mallory.box(call).reply->auth_url != alice.url);
  }
  SECTION("another key of the machine begins again") {
    alice.node_key = make_key<NodePublic>(501);
    const auto call = alice.follow();
    REQUIRE(alice.box(call).reply);
    CHECK(alice.box(call).reply->auth_url == alice.url);
    CHECK(complete(desk, alice.url) == 200);
    CHECK(desk.record(alice.node_key));
  }
}

TEST_CASE("API-82: an interrupted followup leaves the login as it is") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  alice.ask();
  const auto call = alice.follow();
  SECTION("cancelled") { desk.cancel(alice.session, call); }
  SECTION("with its connection") {
    desk.gone(alice.session);
    alice.session = desk.open(alice.machine);
  }
  const auto again = alice.follow();
  CHECK(complete(desk, alice.url) == 200);
  CHECK(!desk.inboxes[std::pair(SessionId{1}, call)].reply);
  CHECK(alice.box(again).reply->machine_authorized);
}

TEST_CASE("API-82: of many followups of one login the oldest are told") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  alice.ask();
  std::vector<CallId> calls;
  for (std::size_t i = 0; i < coord::Logins::max_waiting + 2; ++i) calls.push_back(alice.follow());
  for (std::size_t i = 0; i < calls.size(); ++i) CHECK(!!alice.box(calls[i]).reply == (i < 2));
  CHECK(!alice.box(calls[0]).reply->error.empty());
  CHECK(complete(desk, alice.url) == 200);
  for (std::size_t i = 2; i < calls.size(); ++i) CHECK(alice.box(calls[i]).reply->machine_authorized);
}

TEST_CASE("API-50: a new key after a login is the same node, and the old key works until then") {
  Desk desk(login_config());
  Guest alice(desk, 1), bob(desk, 2);
  alice.ask();
  complete(desk, alice.url);
  bob.enroll();
  alice.start_poll();
  bob.start_poll();
  desk.advance(seconds{1});
  bob.read_all();
  const NodeRecord before = *desk.record(alice.node_key);
  const auto old_key = alice.node_key;
  alice.node_key = make_key<NodePublic>(502);
  auto request = alice.register_request("");
  request.old_node_key = old_key;
  alice.url = alice.send(request).auth_url;
  REQUIRE(!alice.url.empty());
  const auto call = alice.follow();
  desk.advance(seconds{30});
  CHECK(desk.online(old_key));
  CHECK(!alice.poll_inbox().ended);
  CHECK(bob.read_all().empty());
  complete(desk, alice.url);
  CHECK(alice.box(call).reply->machine_authorized);
  CHECK(!desk.record(old_key));
  REQUIRE(desk.record(alice.node_key));
  CHECK(desk.record(alice.node_key)->id == before.id);
  CHECK(desk.record(alice.node_key)->v4 == before.v4);
  CHECK(desk.record(alice.node_key)->stable_id == before.stable_id);
  desk.advance(seconds{1});
  const auto told = bob.read_all();
  REQUIRE(told.size() == 1);
  REQUIRE(told[0].peers_changed.size() == 1);
  CHECK(told[0].peers_changed[0].key == alice.node_key);
}

TEST_CASE("another user on the same machine is a second node") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  alice.ask();
  complete(desk, alice.url, "alice@net.test");
  const NodeRecord first = *desk.record(alice.node_key);
  alice.node_key = make_key<NodePublic>(503);
  alice.ask();
  complete(desk, alice.url, "bob@net.test");
  REQUIRE(desk.record(alice.node_key));
  CHECK(desk.record(alice.node_key)->id != first.id);
  CHECK(desk.record(alice.node_key)->user != first.user);
  CHECK(desk.record(first.key));
  // The first comes back.
  alice.node_key = make_key<NodePublic>(504);
  alice.ask();
  complete(desk, alice.url, "alice@net.test");
  CHECK(desk.record(alice.node_key)->id == first.id);
  CHECK(desk.coordinator.nodes().size() == 2);
}

TEST_CASE("API-86: a user who is new is made once, also in a race") {
  Desk desk(login_config());
  std::vector<Guest> guests;
  guests.reserve(20);
  for (std::uint64_t i = 0; i < 20; ++i) {
    guests.emplace_back(desk, i + 1);
    guests.back().ask();
  }
  std::vector<CommandId> orders;
  for (const auto& guest : guests)
    orders.push_back(desk.order(CompleteLogin{id_of(guest.url), "carol@net.test"}));
  desk.pump();
  std::set<UserId> users;
  for (const auto id : orders) CHECK(desk.done.at(id).status == 200);
  for (const auto& guest : guests) {
    REQUIRE(desk.record(guest.node_key));
    users.insert(desk.record(guest.node_key)->user);
  }
  CHECK(users.size() == 1);
}

TEST_CASE("what can not be a login name is told to who decides, and the login goes on") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  alice.ask();
  for (const auto* name : {"", "a b", "a\"b", "a<b", "a\\b", "tagged-devices", "\xc3\xa4"})
    CHECK(complete(desk, alice.url, name) == 400);
  CHECK(complete(desk, alice.url, std::string(255, 'a')) == 400);
  CHECK(complete(desk, alice.url) == 200);
}

TEST_CASE("API-81: a required tailnet that is another is refused before anybody is asked") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  auto request = alice.register_request(GENERATE("", "key-reusable"));
  request.tailnet = "required:elsewhere.test";
  CHECK(alice.send(request).error == "this server is another tailnet than the required one");
  request.tailnet = GENERATE("required:net.test", "required:Test net", "elsewhere.test");
  CHECK(alice.send(request).error.empty());
}

TEST_CASE("API-87: tags that a node asks for must be its user's to give") {
  Desk desk(login_config());
  desk.order(SetPolicy{std::make_shared<const OwnedTags>()});
  Guest alice(desk, 1);
  alice.hostinfo.request_tags = {"tag:web"};
  alice.ask();
  auto call = alice.follow();
  CHECK(complete(desk, alice.url, "alice@net.test") == 403);
  REQUIRE(alice.box(call).reply);
  CHECK(alice.box(call).reply->error == "requested tags [tag:web] are invalid or not permitted");
  CHECK(desk.coordinator.nodes().empty());
  alice.ask();
  call = alice.follow();
  CHECK(complete(desk, alice.url, "web-admin@net.test") == 200);
  CHECK(alice.box(call).reply->machine_authorized);
  CHECK(desk.record(alice.node_key)->tags == std::vector<std::string>{"tag:web"});
}

TEST_CASE("API-42: a key that another machine has taken meanwhile does not move by a login") {
  Desk desk(login_config());
  Guest alice(desk, 1), bob(desk, 2);
  alice.ask();
  const auto call = alice.follow();
  bob.node_key = alice.node_key;
  CHECK(bob.enroll().machine_authorized);
  CHECK(complete(desk, alice.url) == 409);
  REQUIRE(alice.box(call).reply);
  CHECK(alice.box(call).reply->error == "node key already in use");
  CHECK(desk.record(alice.node_key)->machine == bob.machine);
}

TEST_CASE("API-85: a page finds a login and decides on it") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  alice.ask();
  const auto held = alice.follow();
  const SessionId page = desk.open(make_key<MachinePublic>(99));
  const auto say = [&](Question question) {
    const CallId call = desk.ask(page, {}, std::move(question));
    desk.pump();
    return desk.inbox(page, call);
  };
  const std::string id = id_of(alice.url);
  const auto found = say(question::FindPending{id});
  REQUIRE(found.answer);
  const auto& pending = std::get<answer::Pending>(*found.answer);
  CHECK(pending.kind == PendingKind::login);
  CHECK(pending.hostname == "host1");
  CHECK(pending.os == "linux");
  CHECK(pending.node_key == alice.node_key);
  CHECK(pending.machine == alice.machine);
  CHECK(say(question::FindPending{"unheardOf"}).refused->status == 404);
  CHECK(say(question::DecidePending{id, "a b", ""}).refused->status == 400);
  CHECK(!alice.box(held).reply);
  SECTION("yes") {
    CHECK(say(question::DecidePending{id, "alice@net.test", ""}).answer);
    CHECK(alice.box(held).reply->machine_authorized);
  }
  SECTION("no") {
    CHECK(say(question::DecidePending{id, "", "no"}).answer);
    CHECK(alice.box(held).reply->error == "no");
  }
  CHECK(say(question::DecidePending{id, "alice@net.test", ""}).refused->status == 404);
}

TEST_CASE("an auth key that succeeds ends the login that waits for the same key") {
  Desk desk(login_config());
  Guest alice(desk, 1);
  alice.ask();
  const auto call = alice.follow();
  CHECK(alice.enroll().machine_authorized);
  REQUIRE(alice.box(call).reply);
  CHECK(alice.box(call).reply->machine_authorized);
  CHECK(complete(desk, alice.url) == 404);
}

TEST_CASE("API-80: who registers without pause is told when to come again") {
  auto config = login_config();
  config.register_burst = 10;
  Desk desk(config);
  Client alice(desk, 1), bob(desk, 2);
  for (int i = 0; i < 10; ++i) CHECK(alice.enroll().machine_authorized);
  const auto call = desk.send(alice.session, alice.register_request());
  desk.pump();
  REQUIRE(desk.inbox(alice.session, call).refused);
  CHECK(desk.inbox(alice.session, call).refused->status == 429);
  CHECK(desk.inbox(alice.session, call).refused->retry_after == seconds{1});
  CHECK(bob.enroll().machine_authorized);
  desk.advance(seconds{1});
  CHECK(alice.enroll().machine_authorized);
}

TEST_CASE("API-80: a daemon that can not log in stays within the limit") {
  Desk desk;
  Client alice(desk, 1);
  // Its back-off after each failure: n² × 10 ms, at most 30 s.
  for (std::uint64_t n = 1; n <= 100; ++n) {
    alice.node_key = make_key<NodePublic>(1'000 + n);
    const auto call = desk.send(alice.session, alice.register_request("wrong"));
    desk.pump();
    CHECK(!desk.inbox(alice.session, call).refused);
    desk.advance(std::min(std::chrono::milliseconds{5 * n * n}, std::chrono::milliseconds{30'000}));
  }
}

TEST_CASE("the memory of haste is bounded and forgets the calm") {
  coord::Pace pace(seconds{1}, 3);
  Instant now{};
  for (std::uint64_t i = 0; i < 20'000; ++i) CHECK(pace.take(make_key<MachinePublic>(i), now).count() == 0);
  CHECK(pace.size() == coord::Pace::max_machines);
  now += seconds{2};
  CHECK(pace.take(make_key<MachinePublic>(1), now).count() == 0);
  CHECK(pace.size() == 1);
}

TEST_CASE("pending logins are bounded: who waits unattended makes room") {
  SeededEntropy entropy(1);
  const auto config = login_config();
  coord::Logins logins(entropy, config);
  RegisterRequest request;
  std::vector<CoordEvent> events;
  std::vector<std::string> ids;
  for (std::uint64_t i = 0; i < coord::Logins::max_logins; ++i)
    ids.push_back(logins.begin(make_key<MachinePublic>(i), request, Instant{}, events)->id);
  CHECK(logins.hold(make_key<MachinePublic>(0), {SessionId{1}, CallId{1}}).empty());
  REQUIRE(logins.begin(make_key<MachinePublic>(5'000), request, Instant{}, events));
  CHECK(logins.find(ids[0]));
  CHECK(!logins.find(ids[1]));
  for (std::uint64_t i = 2; i < coord::Logins::max_logins; ++i)
    CHECK(logins.hold(make_key<MachinePublic>(i), {SessionId{1}, CallId{i}}).empty());
  CHECK(logins.hold(make_key<MachinePublic>(5'000), {SessionId{1}, CallId{5'000}}).empty());
  CHECK(!logins.begin(make_key<MachinePublic>(5'001), request, Instant{}, events));
  CHECK(events.empty());
}

}  // namespace ts2021::test

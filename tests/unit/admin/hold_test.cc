// SPDX-License-Identifier: BSD-3-Clause
// Holds: tests decide what becomes of requests.
#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using test::AdminSite;
using test::contains;
using test::SiteNode;

namespace {

struct World {
  AdminSite site;
  SiteNode a{site, 1};
  explicit World(const std::string& hold, bool enroll = true) {
    if (enroll) a.enroll();
    const auto made = site.call("POST", "/admin/holds", hold);
    REQUIRE(made.status == 201);
    REQUIRE(made.body == R"({"id":"h1"})");
  }
  int decide(int call, const std::string& body) {
    return site.call("POST", "/admin/holds/h1/calls/" + std::to_string(call), body).status;
  }
  std::string state(int call) {
    return site.call("GET", "/admin/holds/h1/calls/" + std::to_string(call)).body;
  }
  std::string hold() { return site.call("GET", "/admin/holds/h1").body; }
  std::size_t maps_at_coordinator() {
    return static_cast<std::size_t>(std::count_if(site.inputs.begin(), site.inputs.end(), [](const auto& in) {
      return std::holds_alternative<coord_input::Map>(in);
    }));
  }
};

}  // namespace

TEST_CASE("A map request is held until a test lets it go on") {
  World world(R"({"on":"map-request"})");
  world.a.start_poll();
  world.site.advance(std::chrono::seconds{1});
  CHECK(world.a.waiting() == 0);
  CHECK(world.maps_at_coordinator() == 0);
  CHECK(contains(world.site.call("GET", "/admin/stats").body, R"("inServeMap":1)"));
  const auto next = world.site.call("GET", "/admin/holds/h1/next").body;
  CHECK(contains(next, R"({"call":1,"on":"map-request","nodeKey":")" + world.a.key() + R"(","machineKey":")" +
                           world.a.machine.text() + R"(","request":{"Version":)"));
  CHECK_FALSE(contains(next, "\"response\""));
  CHECK(world.site.call("GET", "/admin/holds/h1/next?timeout=0s").status == 204);  // handed out once
  CHECK(world.state(1) == R"({"state":"held","dropped":false})");
  CHECK(world.hold() == R"({"id":"h1","on":"map-request","held":1,"done":0})");
  CHECK(world.decide(1, R"({"action":"continue"})") == 204);
  world.site.advance(std::chrono::seconds{1});
  CHECK(world.a.waiting() == 1);
  CHECK(world.state(1) == R"({"state":"running","dropped":false})");
  CHECK(world.decide(1, R"({"action":"continue"})") == 409);
  const auto done = world.site.begin("GET", "/admin/holds/h1/calls/1?wait=done");
  const auto all_done = world.site.begin("GET", "/admin/holds/h1?wait=done");
  CHECK_FALSE(world.site.answer(done));
  world.site.cancel(world.a.session, world.a.poll);
  CHECK(world.site.answer(done)->body == R"({"state":"done","dropped":false})");
  CHECK(world.site.answer(all_done)->body == R"({"id":"h1","on":"map-request","held":0,"done":1})");
}

TEST_CASE("A held request does not hold up others of its connection") {
  World world(R"({"on":"map-request","match":{"stream":true}})");
  world.a.start_poll();
  auto lite = world.a.map_request();
  lite.stream = false;
  lite.omit_peers = true;
  CHECK(world.site.mail(world.a.session, world.site.send(world.a.session, lite)).ended);
  CHECK(contains(world.hold(), R"("held":1)"));
}

TEST_CASE("All that a match names must fit") {
  World world(R"({"on":"map-request","match":{"stream":false,"requestTags":["tag:x","tag:y"]}})");
  auto request = world.a.map_request();
  request.stream = false;
  request.hostinfo->request_tags = {"tag:y", "tag:x"};
  world.site.send(world.a.session, request);
  CHECK(contains(world.hold(), R"("held":0)"));
  request.hostinfo->request_tags = {"tag:x", "tag:y"};
  world.site.send(world.a.session, request);
  CHECK(contains(world.hold(), R"("held":1)"));
  request.stream = true;
  world.site.send(world.a.session, request);
  CHECK(contains(world.hold(), R"("held":1)"));
}

TEST_CASE("A test rejects a request with an answer of its own") {
  World world(R"({"on":"register"})", false);
  const auto id = world.site.send(world.a.session, world.a.register_request());
  CHECK_FALSE(world.site.mail(world.a.session, id).reply);
  CHECK(world.decide(1, R"({"action":"reject","status":429,"headers":{"Retry-After":"5"},"body":"later"})") ==
        204);
  const auto& refused = world.site.mail(world.a.session, id).refused;
  REQUIRE(refused);
  CHECK(refused->status == 429);
  CHECK(refused->body == "later");
  CHECK(refused->headers == std::vector<std::pair<std::string, std::string>>{{"Retry-After", "5"}});
  CHECK(world.state(1) == R"({"state":"done","dropped":false})");
  CHECK(world.site.call("GET", "/admin/nodes?count=1").body == R"({"count":0})");
  CHECK(contains(world.site.call("GET", "/admin/events?type=register").body, R"("result":"rate-limited")"));
  world.site.send(world.a.session, world.a.register_request());
  CHECK(world.decide(2, R"({"action":"continue"})") == 204);
  CHECK(world.site.call("GET", "/admin/nodes?count=1").body == R"({"count":1})");
}

TEST_CASE("A test replaces the first map, verbatim, and no later one") {
  World world(R"({"on":"first-map","match":{"stream":true}})");
  world.a.start_poll();
  world.site.advance(std::chrono::seconds{1});
  CHECK(world.a.waiting() == 0);
  const auto next = world.site.call("GET", "/admin/holds/h1/next").body;
  CHECK(contains(next, R"("response":{)"));
  CHECK(contains(next, world.a.key()));
  CHECK(world.decide(1, R"({"action":"reject","status":400})") == 400);
  CHECK(world.decide(1, R"({"action":"replace","response":{"Node":null,"X":[]}})") == 204);
  CHECK(world.a.next() == R"({"Node":null,"X":[]})");
  world.site.call("PATCH", "/admin/config", "{}");
  world.site.advance(std::chrono::seconds{1});
  CHECK(contains(world.a.next(), R"("Node":{)"));
}

TEST_CASE("A raw frame is not held, and waits behind the first one") {
  World world(R"({"on":"first-map"})");
  world.a.start_poll();
  world.site.advance(std::chrono::seconds{1});
  CHECK(world.site.call("POST", world.a.path("/ping"), R"({"URL":"http://x.test/p"})").body ==
        R"({"enqueued":true})");
  CHECK(world.a.waiting() == 0);
  CHECK(world.decide(1, R"({"action":"continue"})") == 204);
  CHECK(contains(world.a.next(), R"("Node":{)"));
  CHECK(contains(world.a.next(), R"({"PingRequest":)"));
}

TEST_CASE("A lite request whose first frame is held ends behind it") {
  World world(R"({"on":"first-map"})");
  auto request = world.a.map_request();
  request.stream = false;
  const auto id = world.site.send(world.a.session, request);
  world.site.advance(std::chrono::seconds{1});
  CHECK_FALSE(world.site.mail(world.a.session, id).ended);
  CHECK(world.decide(1, R"({"action":"continue"})") == 204);
  CHECK(world.site.mail(world.a.session, id).frames.size() == 1);
  CHECK(world.site.mail(world.a.session, id).ended);
  CHECK(world.state(1) == R"({"state":"done","dropped":false})");
}

TEST_CASE("A request whose client has gone stays held, and is then dropped") {
  World world(R"({"on":"map-request"})");
  world.a.start_poll();
  world.site.cancel(world.a.session, world.a.poll);
  CHECK(contains(world.hold(), R"("held":1)"));
  CHECK(contains(world.site.call("GET", "/admin/stats").body, R"("inServeMap":0)"));
  CHECK(contains(world.site.call("GET", "/admin/holds/h1/next").body, R"("call":1)"));
  CHECK(world.decide(1, R"({"action":"continue"})") == 204);
  CHECK(world.state(1) == R"({"state":"done","dropped":true})");
  CHECK(world.maps_at_coordinator() == 0);
  for (const auto& input : world.site.inputs)
    CHECK_FALSE(std::holds_alternative<coord_input::Cancelled>(input));
}

TEST_CASE("The same with a whole connection, and a held registration") {
  World world(R"({"on":"register"})", false);
  world.site.send(world.a.session, world.a.register_request());
  world.site.gone(world.a.session);
  CHECK(world.decide(1, R"({"action":"continue"})") == 204);
  CHECK(world.state(1) == R"({"state":"done","dropped":true})");
  CHECK(world.site.call("GET", "/admin/nodes?count=1").body == R"({"count":0})");
}

TEST_CASE("A held request goes on when nobody has decided in time") {
  World world(R"({"on":"map-request","timeout":"2s"})");
  world.a.start_poll();
  world.site.advance(std::chrono::milliseconds{1'999});
  CHECK(world.maps_at_coordinator() == 0);
  world.site.advance(std::chrono::milliseconds{1});
  CHECK(world.maps_at_coordinator() == 1);
  CHECK(world.decide(1, R"({"action":"continue"})") == 409);
}

TEST_CASE("A hold with a count lets all pass after so many") {
  World world(R"({"on":"map-request","count":1})");
  world.a.start_poll();
  CHECK(world.maps_at_coordinator() == 0);
  world.a.start_poll();
  CHECK(world.maps_at_coordinator() == 1);
}

TEST_CASE("Fitting holds are asked in the order of their making, and see each other's replacements") {
  World world(R"({"on":"first-map"})");
  REQUIRE(world.site.call("POST", "/admin/holds", R"({"on":"first-map"})").status == 201);
  world.a.start_poll();
  world.site.advance(std::chrono::seconds{1});
  CHECK(world.site.call("GET", "/admin/holds/h2/next?timeout=0s").status == 204);
  CHECK(world.decide(1, R"({"action":"replace","response":{"a":1}})") == 204);
  CHECK(world.a.waiting() == 0);
  CHECK(contains(world.site.call("GET", "/admin/holds/h2/next").body, R"("response":{"a":1}})"));
  CHECK(world.site.call("POST", "/admin/holds/h2/calls/2", R"({"action":"continue"})").status == 204);
  CHECK(world.a.next() == R"({"a":1})");
}

TEST_CASE("Released and removed holds let all go on") {
  World world(R"({"on":"map-request"})");
  world.a.start_poll();
  world.a.start_poll();
  const auto waiting = world.site.begin("GET", "/admin/holds/h1/next");  // the first one
  CHECK(world.site.answer(waiting));
  CHECK(world.site.call("POST", "/admin/holds/h1/release").status == 204);
  CHECK(world.maps_at_coordinator() == 2);
  world.a.start_poll();
  CHECK(world.maps_at_coordinator() == 3);
  const auto next = world.site.begin("GET", "/admin/holds/h1/next");
  CHECK_FALSE(world.site.answer(next));
  CHECK(world.site.call("DELETE", "/admin/holds/h1").status == 204);
  CHECK(world.site.answer(next)->status == 404);
  CHECK(world.site.call("GET", "/admin/holds/h1").status == 404);
  CHECK(world.site.call("DELETE", "/admin/holds/h1").status == 404);
}

TEST_CASE("A held call whose reader has gone is told to the next") {
  World world(R"({"on":"map-request"})");
  const auto reader = world.site.begin("GET", "/admin/holds/h1/next");
  world.site.desk->cancel(reader);
  world.a.start_poll();
  CHECK(contains(world.site.call("GET", "/admin/holds/h1/next").body, R"("call":1)"));
  // Also when the answer was made already.
  world.a.start_poll();
  admin::Request request;
  request.call = admin::CallId{5'000};
  for (const Route& route : admin::Desk::routes())
    if (route.pattern == "/admin/holds/{}/next") request.route = route.id;
  request.args = {"h1"};
  world.site.desk->handle(request, world.site.clock.now);
  world.site.desk->cancel(request.call);
  CHECK_FALSE(world.site.desk->next_answer());
  CHECK(contains(world.site.call("GET", "/admin/holds/h1/next").body, R"("call":2)"));
}

TEST_CASE("A test waits for something to be held") {
  World world(R"({"on":"map-request"})");
  const auto held = world.site.begin("GET", "/admin/holds/h1?wait=held");
  const auto next = world.site.begin("GET", "/admin/holds/h1/next?timeout=5s");
  CHECK_FALSE(world.site.answer(held));
  world.a.start_poll();
  CHECK(contains(world.site.answer(held)->body, R"("held":1)"));
  CHECK(contains(world.site.answer(next)->body, R"("call":1)"));
  const auto none = world.site.begin("GET", "/admin/holds/h1/next?timeout=1s");
  world.site.advance(std::chrono::seconds{1});
  CHECK(world.site.answer(none)->status == 204);
}

TEST_CASE("set-dns is held, then accepted or refused") {
  World world(R"({"on":"set-dns"})");
  auto request = std::make_shared<SetDNSRequest>();
  request->node_key = world.a.node_key;
  request->type = "TXT";
  const auto id = world.site.ask(world.a.session, world.a.machine, question::SetDns{request});
  const auto& mail = world.site.mail(world.a.session, id);
  CHECK_FALSE(mail.refused);
  CHECK(contains(world.site.call("GET", "/admin/holds/h1/next").body, R"("Type":"TXT")"));
  CHECK(world.decide(1, R"({"action":"reject","status":503,"body":"busy"})") == 204);
  REQUIRE(mail.refused);
  CHECK(mail.refused->status == 503);
  world.site.ask(world.a.session, world.a.machine, question::SetDns{request});
  CHECK(world.decide(2, R"({"action":"continue"})") == 204);
  CHECK(world.state(2) == R"({"state":"done","dropped":false})");
}

TEST_CASE("What makes no hold and no decision is refused, with its member") {
  World world(R"({"on":"map-request"})");
  for (const auto& [body, member] : std::vector<std::pair<std::string, std::string>>{
           {"{}", "on"},
           {R"({"on":"lunch"})", "on"},
           {R"({"on":"register","match":{"stream":true}})", "match.stream"},
           {R"({"on":"set-dns","match":{"requestTags":[]}})", "match.requestTags"},
           {R"({"on":"register","match":{"nodeKey":"x"}})", "match.nodeKey"},
           {R"({"on":"register","match":{"lunch":1}})", "match.lunch"},
           {R"({"on":"register","timeout":"11m"})", "timeout"},
           {R"({"on":"register","count":0})", "count"}}) {
    const auto refused = world.site.call("POST", "/admin/holds", body);
    CHECK(refused.status == 400);
    CHECK(contains(refused.body, "\\\"" + member + "\\\""));
  }
  world.a.start_poll();
  for (const char* body :
       {"{}", R"({"action":"lunch"})", R"({"action":"replace","response":{}})", R"({"action":"reject"})",
        R"({"action":"reject","status":99})", R"({"action":"reject","status":400,"headers":{"a b":"c"}})",
        R"({"action":"continue","status":400})"})
    CHECK(world.decide(1, body) == 400);
  CHECK(world.state(1) == R"({"state":"held","dropped":false})");
  CHECK(world.decide(7, R"({"action":"continue"})") == 404);
  CHECK(world.site.call("POST", "/admin/holds/h9/calls/1", "{}").status == 404);
}

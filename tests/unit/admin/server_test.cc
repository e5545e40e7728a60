// SPDX-License-Identifier: BSD-3-Clause
// The clock, the fresh start, and whose commands are whose.
#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using test::AdminSite;
using test::contains;
using test::SiteNode;

TEST_CASE("The virtual clock is set and advanced by the program") {
  AdminSite site;
  CHECK(site.call("PUT", "/admin/clock", R"({"now":"2030-01-02T03:04:05Z"})").status == 204);
  CHECK(site.call("GET", "/admin/clock").body == R"({"now":"2030-01-02T03:04:05Z"})");
  CHECK(site.call("POST", "/admin/clock/advance", R"({"by":"1h30m"})").status == 204);
  CHECK(site.call("GET", "/admin/clock").body == R"({"now":"2030-01-02T04:34:05Z"})");
  for (const char* wrong :
       {R"({})", R"({"now":"noon"})", R"({"now":1})", R"({"Now":"2030-01-02T03:04:05Z"})"})
    CHECK(site.call("PUT", "/admin/clock", wrong).status == 400);
  for (const char* wrong : {R"({})", R"({"by":"soon"})", R"({"by":5})"})
    CHECK(site.call("POST", "/admin/clock/advance", wrong).status == 400);
  CHECK(site.tasks.size() == 2);
}

TEST_CASE("A real clock cannot be set") {
  AdminSite site({.virtual_clock = false});
  CHECK(site.call("GET", "/admin/clock").status == 200);
  CHECK(site.call("PUT", "/admin/clock", R"({"now":"2030-01-02T03:04:05Z"})").status == 409);
  CHECK(site.call("POST", "/admin/clock/advance", R"({"by":"1h"})").status == 409);
  CHECK(site.tasks.empty());
}

TEST_CASE("After a reset nothing is left but the numbers of events") {
  AdminSite site;
  const auto config = site.call("GET", "/admin/config").body;
  SiteNode a(site, 1);
  a.enroll();
  a.start_poll();
  site.advance(std::chrono::seconds{1});
  site.call("PATCH", "/admin/config", R"({"allOnline":true,"setDNSError":"x"})");
  site.call("PUT", "/admin/dns", R"({"Domains":["x.test"]})");
  site.call("PUT", "/admin/alt-map", R"({"enabled":true})");
  site.call("POST", "/admin/holds", R"({"on":"map-request"})");
  site.call("POST", a.path("/raw-map"), "{}");
  const auto held = site.begin("GET", "/admin/holds/h1/next");
  const auto call = site.begin("POST", a.path("/c2n"), R"({"path":"/x"})");
  const auto events = site.call("GET", "/admin/events?after=-1").body;
  CHECK(site.call("POST", "/admin/reset", R"({"keys":true})").status == 204);
  REQUIRE(site.tasks.size() == 1);
  CHECK(std::get<admin::task::Reset>(site.tasks[0].what).keys);
  CHECK(site.answer(held)->status == 404);
  CHECK(site.answer(call)->status == 404);
  CHECK(site.call("GET", "/admin/config").body == config);
  CHECK(site.call("GET", "/admin/nodes").body == "[]");
  CHECK(site.call("GET", "/admin/dns").body == "null");
  CHECK(site.call("GET", "/admin/alt-map").body == R"({"enabled":false})");
  CHECK(site.call("GET", "/admin/holds/h1").status == 404);
  CHECK(site.call("GET", "/admin/stats").body == R"({"inServeMap":0,"unhandled":0})");
  const auto after = site.call("GET", "/admin/events?type=map-end");
  CHECK(contains(after.body, R"("reason":"server")"));
  CHECK(after.body > events);
  SiteNode b(site, 1);
  b.enroll();
  b.start_poll();
  site.advance(std::chrono::seconds{1});
  CHECK(contains(b.next(), R"("Node":{"ID":1,)"));
  CHECK(site.call("POST", "/admin/reset", R"({"all":true})").status == 400);
}

TEST_CASE("The program's commands are answered to the program") {
  AdminSite site;
  site.coordinator->handle(CoordCommand{CommandId{5}, coord_command::SetDns{}}, site.clock.now);
  site.pump();
  REQUIRE(site.others.size() == 1);
  CHECK(site.others[0].command == CommandId{5});
  site.call("PATCH", "/admin/config", "{}");
  CHECK(site.others.size() == 1);
}

TEST_CASE("A call whose client has gone is not answered") {
  AdminSite site;
  const auto waiting = site.begin("GET", "/admin/events?timeout=1s");
  site.desk->cancel(waiting);
  site.advance(std::chrono::seconds{2});
  CHECK_FALSE(site.answer(waiting));
}

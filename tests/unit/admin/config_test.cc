// SPDX-License-Identifier: BSD-3-Clause
// PATCH /admin/config: some switches, all or none.
#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using test::AdminSite;
using test::contains;
using test::SiteNode;

TEST_CASE("The configuration has every switch, and shows what was changed") {
  AdminSite site;
  const auto before = site.call("GET", "/admin/config");
  CHECK(before.status == 200);
  CHECK(before.body ==
        R"({"verbose":false,"requireAuth":false,"requireAuthKey":"","requireMachineAuth":false,)"
        R"("magicDNSDomain":"","setDNSError":"","peerRelayGrants":false,"allNodesSameUser":false,)"
        R"("allOnline":false,"collectServices":null,"baseURL":"http://control.test","expireAll":false})");
  const auto after = site.call(
      "PATCH", "/admin/config",
      R"({"verbose":true,"requireAuth":true,"requireAuthKey":"k","requireMachineAuth":true,)"
      R"("magicDNSDomain":"net.test","setDNSError":"no","peerRelayGrants":true,"allNodesSameUser":true,)"
      R"("allOnline":true,"collectServices":false,"baseURL":"http://proxy.test","expireAll":true})");
  CHECK(after.status == 200);
  CHECK(after.body ==
        R"({"verbose":true,"requireAuth":true,"requireAuthKey":"k","requireMachineAuth":true,)"
        R"("magicDNSDomain":"net.test","setDNSError":"no","peerRelayGrants":true,"allNodesSameUser":true,)"
        R"("allOnline":true,"collectServices":false,"baseURL":"http://proxy.test","expireAll":true})");
  CHECK(site.call("GET", "/admin/config").body == after.body);
  CHECK(site.coordinator->rules().require_approval);
  CHECK(site.call("PATCH", "/admin/config", R"({"collectServices":null,"baseURL":""})").status == 200);
  CHECK(contains(site.call("GET", "/admin/config").body,
                 R"("collectServices":null,"baseURL":"http://control.test")"));
}

TEST_CASE("A configuration with one wrong member changes nothing") {
  AdminSite site;
  const auto before = site.call("GET", "/admin/config").body;
  for (const auto& [body, member] : std::vector<std::pair<std::string, std::string>>{
           {R"({"verbose":true,"allOnline":1})", "allOnline"},
           {R"({"verbose":true,"Verbose":true})", "Verbose"},
           {R"({"verbose":true,"baseURL":"ftp://x"})", "baseURL"},
           {R"({"verbose":true,"baseURL":"http://x/"})", "baseURL"},
           {R"({"verbose":true,"requireAuthKey":null})", "requireAuthKey"}}) {
    const auto refused = site.call("PATCH", "/admin/config", body);
    CHECK(refused.status == 400);
    CHECK(contains(refused.body, member));
    CHECK(site.call("GET", "/admin/config").body == before);
  }
  CHECK(site.call("PATCH", "/admin/config?push=maybe", "{}").status == 400);
}

TEST_CASE("Switches of test mode are refused elsewhere, and then nothing is changed") {
  AdminSite site({.test_mode = false});
  const auto before = site.call("GET", "/admin/config").body;
  CHECK(site.call("PATCH", "/admin/config", R"({"verbose":true,"allOnline":true})").status == 409);
  CHECK(site.call("GET", "/admin/config").body == before);
  CHECK(site.call("PATCH", "/admin/config", R"({"verbose":true})").status == 200);
}

TEST_CASE("Changes that come at once are made one on top of the other") {
  AdminSite site;
  const auto ask = [&](std::string body) {
    admin::Request request;
    request.call = admin::CallId{1'000 + body.size()};
    for (const Route& route : admin::Desk::routes())
      if (route.method == Method::patch && route.pattern == "/admin/config") request.route = route.id;
    request.body = std::move(body);
    site.desk->handle(std::move(request), site.clock.now);
  };
  ask(R"({"allOnline":true})");
  ask(R"({"expireAll":true})");
  ask(R"({"verbose":true})");
  site.pump();
  const auto config = site.call("GET", "/admin/config").body;
  CHECK(contains(config, R"("allOnline":true)"));
  CHECK(contains(config, R"("expireAll":true)"));
  CHECK(contains(config, R"("verbose":true)"));
}

TEST_CASE("A change wakes every poll once, unless it is not to push") {
  AdminSite site;
  SiteNode a(site, 1), b(site, 2);
  for (SiteNode* node : {&a, &b}) {
    node->enroll();
    node->start_poll();
  }
  site.advance(std::chrono::seconds{1});
  a.read_all();
  b.read_all();
  CHECK(site.call("PATCH", "/admin/config?push=false", R"({"verbose":false})").status == 200);
  site.advance(std::chrono::seconds{1});
  CHECK(a.waiting() == 0);
  CHECK(site.call("PATCH", "/admin/config", R"({"verbose":false})").status == 200);
  site.advance(std::chrono::seconds{1});
  CHECK(a.waiting() == 1);
  CHECK(b.waiting() == 1);
}

TEST_CASE("A verbose server tells of register requests without their secrets") {
  AdminSite site;
  SiteNode a(site, 1), b(site, 2);
  a.enroll();
  const auto told = [&] {
    std::string all;
    for (const auto& notice : site.notices)
      if (notice.text == "register request") all += notice.detail;
    return all;
  };
  CHECK(told().empty());
  site.call("PATCH", "/admin/config", R"({"verbose":true})");
  b.enroll();
  CHECK(contains(told(), b.key()));
  CHECK_FALSE(contains(told(), test::reusable_key));
}

TEST_CASE("set-dns fails with the text that a test wants") {
  AdminSite site;
  SiteNode a(site, 1);
  a.enroll();
  site.call("PATCH", "/admin/config", R"({"setDNSError":"no such zone"})");
  auto request = std::make_shared<SetDNSRequest>();
  request->node_key = a.node_key;
  request->type = "TXT";
  const auto& mail = site.mail(a.session, site.ask(a.session, a.machine, question::SetDns{request}));
  REQUIRE(mail.refused);
  CHECK(mail.refused->status == 500);
  CHECK(mail.refused->body == "no such zone");
}

TEST_CASE("The next register requests are refused, as many as a test wants") {
  AdminSite site;
  SiteNode a(site, 1);
  CHECK(site.call("GET", "/admin/register-limit").body == "null");
  CHECK(site.call("PUT", "/admin/register-limit", R"({"count":2,"retryAfter":"5","message":"slowly"})")
            .status == 204);
  for (int i = 0; i < 2; ++i) {
    const auto& mail = site.mail(a.session, site.send(a.session, a.register_request()));
    REQUIRE(mail.refused);
    CHECK(mail.refused->status == 429);
    CHECK(mail.refused->body == "slowly");
    REQUIRE(mail.refused->headers.size() == 1);
    CHECK(mail.refused->headers[0] == std::pair<std::string, std::string>("Retry-After", "5"));
  }
  CHECK(site.call("GET", "/admin/register-limit").body ==
        R"({"count":0,"retryAfter":"5","message":"slowly"})");
  CHECK(a.enroll().error.empty());
  CHECK(contains(site.call("GET", "/admin/events?type=register").body, R"("result":"rate-limited")"));
  CHECK(site.call("PUT", "/admin/register-limit", "null").status == 204);
  CHECK(site.call("GET", "/admin/register-limit").body == "null");
  CHECK(site.call("PUT", "/admin/register-limit", R"({"count":1,"retryAfter":"5\r\nX: y"})").status == 400);
}

// SPDX-License-Identifier: BSD-3-Clause
// Events: what tests see that look on.
#include "admin/events.h"

#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using test::AdminSite;
using test::contains;
using test::SiteNode;

TEST_CASE("Events are numbered, kept, and counted when they are lost") {
  admin::Events events;
  CHECK(events.tell(admin::Events::all_types, 0) == R"({"events":[],"next":0,"lost":0})");
  const auto add = [&](admin::EventType type) { events.add(type, [](auto&) {}); };
  add(admin::EventType::set_dns);
  add(admin::EventType::unhandled);
  CHECK(events.tell(admin::Events::all_types, 0) ==
        R"({"events":[{"seq":1,"type":"set-dns"},{"seq":2,"type":"unhandled"}],"next":2,"lost":0})");
  std::string_view unknown;
  const auto dns = *admin::Events::parse_types("set-dns", unknown);
  CHECK(events.tell(dns, 1) == R"({"events":[],"next":2,"lost":0})");
  CHECK(events.has(dns, 0));
  CHECK_FALSE(events.has(dns, 1));
  CHECK_FALSE(admin::Events::parse_types("set-dns,nothing", unknown));
  CHECK(unknown == "nothing");
  for (std::size_t i = 0; i < admin::Events::max_kept; ++i) add(admin::EventType::map_end);
  CHECK(contains(events.tell(dns, 0), R"("next":10002,"lost":2})"));
  CHECK(contains(events.tell(dns, 1), R"("lost":1})"));
  CHECK(contains(events.tell(dns, 2), R"("lost":0})"));
  CHECK(contains(events.tell(admin::Events::all_types, 0), R"({"events":[{"seq":3,)"));
}

TEST_CASE("A test waits for an event, and begins from now") {
  AdminSite site;
  SiteNode a(site, 1);
  a.enroll();
  CHECK(site.call("GET", "/admin/events?after=-1").body == R"({"events":[],"next":1,"lost":0})");
  const auto waiting = site.begin("GET", "/admin/events?type=map-request,unhandled&after=1");
  CHECK_FALSE(site.answer(waiting));
  a.start_poll();
  const auto seen = site.answer(waiting);
  REQUIRE(seen);
  CHECK(seen->body ==
        R"({"events":[{"seq":2,"type":"map-request","nodeKey":")" + a.key() + R"(","machineKey":")" +
            a.machine.text() + R"(","version":)" + std::to_string(static_cast<int>(newest_capability)) +
            R"(,"stream":true,"readOnly":false,"omitPeers":false,"connection":1}],"next":2,"lost":0})");
  const auto late = site.begin("GET", "/admin/events?type=set-dns&after=2&timeout=5s");
  site.advance(std::chrono::seconds{5});
  CHECK(contains(site.answer(late)->body, R"({"events":[],"next":)"));
  CHECK(site.call("GET", "/admin/events?type=nothing").status == 400);
  CHECK(site.call("GET", "/admin/events?after=x").status == 400);
  CHECK(site.call("GET", "/admin/events?timeout=1d").status == 400);
}

TEST_CASE("A register request is an event with its result") {
  AdminSite site;
  SiteNode a(site, 1), b(site, 2), c(site, 3);
  a.enroll();
  const auto results = [&] {
    std::string all;
    const std::string body = site.call("GET", "/admin/events?type=register").body;
    for (std::size_t at = 0; (at = body.find("\"result\":\"", at)) != body.npos; ++at)
      all += test::text_in(std::string_view(body).substr(at), "result") + " ";
    return all;
  };
  CHECK(results() == "ok ");
  site.call("PATCH", "/admin/config", R"({"requireAuthKey":"other"})");
  CHECK_FALSE(b.enroll().error.empty());
  CHECK(results() == "ok error ");
  site.call("PATCH", "/admin/config", R"({"requireAuthKey":"","requireAuth":true})");
  auto request = c.register_request();
  request.auth.reset();
  const auto url = site.mail(c.session, site.send(c.session, request)).reply->auth_url;
  REQUIRE_FALSE(url.empty());
  CHECK(results() == "ok error auth-url ");
  request.followup = url;
  const auto followup = site.send(c.session, request);
  CHECK_FALSE(site.mail(c.session, followup).reply);
  site.cancel(c.session, followup);
  CHECK(results() == "ok error auth-url gone ");
  const auto body = site.call("GET", "/admin/events?type=register").body;
  CHECK(contains(body, R"("followup":true,"result":"gone")"));
}

TEST_CASE("A map request ends with a reason") {
  AdminSite site;
  SiteNode a(site, 1), stranger(site, 9);
  a.enroll();
  const auto reason = [&] {
    const std::string body = site.call("GET", "/admin/events?type=map-end&timeout=0s").body;
    const auto last = body.rfind("\"reason\"");
    return last == body.npos ? std::string() : test::text_in(std::string_view(body).substr(last), "reason");
  };
  CHECK(site.call("GET", "/admin/stats").body == R"({"inServeMap":0,"unhandled":0})");
  a.start_poll();
  site.advance(std::chrono::seconds{1});
  CHECK(site.call("GET", "/admin/stats").body == R"({"inServeMap":1,"unhandled":0})");
  CHECK(reason().empty());
  a.start_poll();
  site.advance(std::chrono::seconds{1});
  CHECK(reason() == "replaced");
  auto lite = a.map_request();
  lite.stream = false;
  site.send(a.session, lite);
  site.advance(std::chrono::seconds{1});
  CHECK(reason() == "done");
  CHECK(site.call("GET", "/admin/stats").body == R"({"inServeMap":1,"unhandled":0})");
  site.gone(a.session);
  CHECK(reason() == "client");
  CHECK(site.call("GET", "/admin/stats").body == R"({"inServeMap":0,"unhandled":0})");
}

TEST_CASE("A request to nobody's path is counted and told") {
  AdminSite site;
  SiteNode a(site, 1);
  a.enroll();
  site.unrouted({a.machine, "POST", "/machine/new", true});
  site.unrouted({std::nullopt, "GET", "/old", false});
  CHECK(site.call("GET", "/admin/stats").body == R"({"inServeMap":0,"unhandled":2})");
  const auto events = site.call("GET", "/admin/events?type=unhandled").body;
  CHECK(contains(events,
                 R"("nodeKey":")" + a.key() + R"(","method":"POST","path":"/machine/new","inside":true})"));
  CHECK(contains(events, R"("type":"unhandled","method":"GET","path":"/old","inside":false})"));
}

TEST_CASE("set-dns is an event") {
  AdminSite site;
  SiteNode a(site, 1);
  a.enroll();
  auto request = std::make_shared<SetDNSRequest>();
  request->node_key = a.node_key;
  request->name = "_acme-challenge.node-1.net.test";
  request->type = "TXT";
  request->value = "proof";
  site.ask(a.session, a.machine, question::SetDns{request});
  CHECK(contains(site.call("GET", "/admin/events?type=set-dns").body,
                 R"("name":"_acme-challenge.node-1.net.test","recordType":"TXT","value":"proof"})"));
}

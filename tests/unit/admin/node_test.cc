// SPDX-License-Identifier: BSD-3-Clause
// Nodes as stored, waiting for them, and what a person would do for them.
#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using test::AdminSite;
using test::contains;
using test::SiteNode;

TEST_CASE("Nodes are listed, counted and shown as stored") {
  AdminSite site;
  CHECK(site.call("GET", "/admin/nodes").body == "[]");
  CHECK(site.call("GET", "/admin/nodes?count=1").body == R"({"count":0})");
  SiteNode a(site, 1), b(site, 2);
  a.enroll();
  b.enroll();
  CHECK(site.call("GET", "/admin/nodes?count=1").body == R"({"count":2})");
  const auto all = site.call("GET", "/admin/nodes").body;
  CHECK(all.find(a.key()) < all.find(b.key()));
  const auto one = site.call("GET", b.path());
  CHECK(one.status == 200);
  CHECK(contains(one.body, R"("Key":")" + b.key() + '"'));
  CHECK(all == "[" + site.call("GET", a.path()).body + "," + one.body + "]");
  CHECK(site.call("GET", "/admin/nodes/nodekey%3A" + b.key().substr(8)).body == one.body);
  CHECK(site.call("GET", "/admin/nodes/nodekey:00").status == 404);
  CHECK(site.call("GET", SiteNode(site, 9).path()).status == 404);
}

TEST_CASE("A node is put as a whole") {
  AdminSite site;
  SiteNode a(site, 1), b(site, 2);
  a.enroll();
  std::string body = site.call("GET", a.path()).body;
  const auto name = body.find(R"("Name":"node-1)");
  REQUIRE(name != body.npos);
  body.replace(name, 14, R"("Name":"other)");
  CHECK(site.call("PUT", a.path(), body).status == 204);
  CHECK(contains(site.call("GET", a.path()).body, R"("Name":"other)"));
  const auto differs = site.call("PUT", b.path(), body);
  CHECK(differs.status == 400);
  CHECK(contains(differs.body, "Key"));
  CHECK(site.call("GET", "/admin/nodes?count=1").body == R"({"count":1})");
  const auto wrong = site.call("PUT", a.path(), R"({"ID":"x"})");
  CHECK(wrong.status == 400);
  CHECK(contains(wrong.body, R"(\"ID\")"));
  CHECK(site.call("PUT", "/admin/nodes/nodekey:00", body).status == 400);
}

TEST_CASE("Nodes that nobody runs are made by the number") {
  AdminSite site;
  const auto made = site.call("POST", "/admin/nodes/fake?push=false", R"({"count":3})");
  CHECK(made.status == 200);
  CHECK(contains(made.body, R"({"keys":["nodekey:)"));
  CHECK(site.call("GET", "/admin/nodes?count=1").body == R"({"count":3})");
  CHECK(site.call("POST", "/admin/nodes/fake", "").status == 200);
  CHECK(site.call("GET", "/admin/nodes?count=1").body == R"({"count":4})");
  for (const char* wrong : {R"({"count":-1})", R"({"count":100001})", R"({"n":1})"})
    CHECK(site.call("POST", "/admin/nodes/fake", wrong).status == 400);
}

TEST_CASE("A test waits until a node has a poll that was accepted") {
  AdminSite site;
  SiteNode a(site, 1);
  CHECK(site.call("GET", a.path("/await-poll")).status == 404);
  a.enroll();
  const auto late = site.begin("GET", a.path("/await-poll?timeout=2s"));
  site.advance(std::chrono::milliseconds{1'999});
  CHECK_FALSE(site.answer(late));
  site.advance(std::chrono::milliseconds{1});
  CHECK(site.answer(late)->status == 408);
  const auto waiting = site.begin("GET", a.path("/await-poll"));
  auto lite = a.map_request();
  lite.read_only = true;
  site.send(a.session, lite);
  CHECK_FALSE(site.answer(waiting));
  a.start_poll();
  site.advance(std::chrono::seconds{1});
  CHECK(site.answer(waiting)->status == 204);
  CHECK(site.call("GET", a.path("/await-poll?timeout=0s")).status == 204);
  site.cancel(a.session, a.poll);
  CHECK(site.call("GET", a.path("/await-poll?timeout=0s")).status == 408);
  CHECK(site.call("GET", a.path("/await-poll?timeout=x")).status == 400);
}

TEST_CASE("A device is approved, behind the right page") {
  AdminSite site;
  SiteNode a(site, 1);
  site.call("PATCH", "/admin/config", R"({"requireMachineAuth":true})");
  CHECK_FALSE(a.enroll().machine_authorized);
  CHECK(site.call("POST", a.path("/approve"), R"({"url":"http://elsewhere.test/admin"})").body ==
        R"({"ok":false})");
  CHECK_FALSE(site.coordinator->node(a.node_key)->record->authorized);
  CHECK(site.call("POST", a.path("/approve"), R"({"url":"http://control.test/admin"})").body ==
        R"({"ok":true})");
  CHECK(site.coordinator->node(a.node_key)->record->authorized);
  CHECK(site.call("POST", a.path("/approve")).body == R"({"ok":true})");
  CHECK(site.call("POST", a.path("/approve"), R"({"u":1})").status == 400);
  CHECK(site.call("POST", SiteNode(site, 9).path("/approve")).status == 404);
}

TEST_CASE("A login is completed by its URL, whatever stands before, and again") {
  AdminSite site;
  SiteNode a(site, 1);
  site.call("PATCH", "/admin/config", R"({"requireAuth":true})");
  auto request = a.register_request();
  request.auth.reset();
  const auto url = site.mail(a.session, site.send(a.session, request)).reply->auth_url;
  REQUIRE(contains(url, "/auth/"));
  request.followup = url;
  const auto followup = site.send(a.session, request);
  const auto path = url.substr(url.find("/auth/"));
  const auto complete = [&](const std::string& text) {
    return site.call("POST", "/admin/complete-auth", R"({"url":")" + text + R"("})").body;
  };
  CHECK(complete("http://x.test/auth/0000") == R"({"ok":false})");
  CHECK(complete("nonsense") == R"({"ok":false})");
  CHECK_FALSE(site.mail(a.session, followup).reply);
  CHECK(complete("http://proxy.test/prefix" + path) == R"({"ok":true})");
  REQUIRE(site.mail(a.session, followup).reply);
  CHECK(site.mail(a.session, followup).reply->auth_url.empty());
  CHECK(complete(path) == R"({"ok":true})");
  const auto events = site.call("GET", "/admin/events?type=auth-complete").body;
  CHECK(contains(events, R"("nodeKey":")" + a.key() + R"(","url":")" + url + R"("}],)"));  // once
  CHECK(site.call("POST", "/admin/complete-auth", "{}").status == 400);
}

TEST_CASE("A login is ended with an error") {
  AdminSite site;
  SiteNode a(site, 1);
  site.call("PATCH", "/admin/config", R"({"requireAuth":true})");
  auto request = a.register_request();
  request.auth.reset();
  const auto url = site.mail(a.session, site.send(a.session, request)).reply->auth_url;
  request.followup = url;
  const auto followup = site.send(a.session, request);
  CHECK(site.call("POST", "/admin/complete-auth", R"({"url":")" + url + R"(","error":"not you"})").body ==
        R"({"ok":true})");
  REQUIRE(site.mail(a.session, followup).reply);
  CHECK(site.mail(a.session, followup).reply->error == "not you");
  CHECK(contains(site.call("GET", "/admin/events?type=auth-complete&timeout=0s").body, R"("events":[])"));
}

TEST_CASE("A preview is what the node would get, the same as long as nothing changes") {
  AdminSite site;
  SiteNode a(site, 1), b(site, 2);
  a.enroll();
  b.enroll();
  const std::string body = R"({"NodeKey":")" + a.key() + R"(","Version":1})";
  const auto one = site.call("POST", "/admin/map-preview", body);
  CHECK(one.status == 200);
  CHECK(contains(one.body, b.key()));
  CHECK(site.call("POST", "/admin/map-preview", body).body == one.body);
  CHECK(site.call("POST", "/admin/map-preview", "{}").status == 404);
  const auto wrong = site.call("POST", "/admin/map-preview", R"({"NodeKey":1})");
  CHECK(wrong.status == 400);
  CHECK(contains(wrong.body, "NodeKey"));
}

TEST_CASE("A node that has gone is shown with the time when it was last seen") {
  AdminSite site;
  SiteNode a(site, 1);
  a.enroll();
  a.start_poll();
  site.advance(std::chrono::seconds{1});
  CHECK_FALSE(contains(site.call("GET", a.path()).body, "LastSeen"));
  site.gone(a.session);
  site.advance(std::chrono::minutes{1});
  CHECK(contains(site.call("GET", a.path()).body, "\"LastSeen\":\"20"));
}

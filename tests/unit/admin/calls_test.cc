// SPDX-License-Identifier: BSD-3-Clause
// The table of calls: every row has an example that works and one that is refused.
#include "admin/calls.h"

#include <map>

#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using test::AdminSite;
using test::SiteNode;

namespace {

struct Example {
  std::string method, pattern;
  // A target and a body; $A and $B are nodes, $X is none. Empty: the row refuses nothing.
  std::string good, good_body;
  int good_status;
  std::string bad, bad_body;
  int bad_status = 0;
};

const std::string node = "/admin/nodes/$A";
const std::string stranger = "/admin/nodes/$X";
const std::string decision = R"({"action":"continue"})";

const std::vector<Example> examples = {
    {"GET", "/", "/", "", 200, "", ""},
    {"GET", "/admin/", "/admin/", "", 200, "", ""},
    {"GET", "/admin/openapi.json", "/admin/openapi.json", "", 200, "", ""},
    {"GET", "/admin/config", "/admin/config", "", 200, "", ""},
    {"PATCH", "/admin/config", "/admin/config", R"({"verbose":true})", 200, "/admin/config", R"({"v":1})",
     400},
    {"GET", "/admin/stats", "/admin/stats", "", 200, "", ""},
    {"GET", "/admin/derpmap", "/admin/derpmap", "", 200, "", ""},
    {"PUT", "/admin/derpmap", "/admin/derpmap", "null", 204, "/admin/derpmap", "1", 400},
    {"GET", "/admin/dns", "/admin/dns", "", 200, "", ""},
    {"PUT", "/admin/dns", "/admin/dns", "{}", 204, "/admin/dns", "1", 400},
    {"POST", "/admin/dns/records", "/admin/dns/records", "[]", 204, "/admin/dns/records", "{}", 400},
    {"GET", "/admin/ssh-policy", "/admin/ssh-policy", "", 200, "", ""},
    {"PUT", "/admin/ssh-policy", "/admin/ssh-policy", "null", 204, "/admin/ssh-policy", "1", 400},
    {"GET", "/admin/tag-owners", "/admin/tag-owners", "", 200, "", ""},
    {"PUT", "/admin/tag-owners", "/admin/tag-owners", "{}", 204, "/admin/tag-owners", "1", 400},
    {"GET", "/admin/default-caps", "/admin/default-caps", "", 200, "", ""},
    {"PUT", "/admin/default-caps", "/admin/default-caps", "{}", 204, "/admin/default-caps", "1", 400},
    {"GET", "/admin/app-caps", "/admin/app-caps", "", 200, "", ""},
    {"PUT", "/admin/app-caps", "/admin/app-caps", "{}", 204, "/admin/app-caps", "1", 400},
    {"GET", "/admin/masquerades", "/admin/masquerades", "", 200, "", ""},
    {"PUT", "/admin/masquerades", "/admin/masquerades", "[]", 204, "/admin/masquerades", "1", 400},
    {"GET", "/admin/faults", "/admin/faults", "", 200, "", ""},
    {"PUT", "/admin/faults", "/admin/faults", "[]", 204, "/admin/faults", "1", 400},
    {"DELETE", "/admin/faults", "/admin/faults", "", 204, "", ""},
    {"GET", "/admin/register-limit", "/admin/register-limit", "", 200, "", ""},
    {"PUT", "/admin/register-limit", "/admin/register-limit", R"({"count":1})", 204, "/admin/register-limit",
     "{}", 400},
    {"GET", "/admin/first-map-patch", "/admin/first-map-patch", "", 200, "", ""},
    {"PUT", "/admin/first-map-patch", "/admin/first-map-patch", "{}", 204, "/admin/first-map-patch", "1",
     400},
    {"GET", "/admin/alt-map", "/admin/alt-map", "", 200, "", ""},
    {"PUT", "/admin/alt-map", "/admin/alt-map", R"({"enabled":true})", 204, "/admin/alt-map", "{}", 400},
    {"GET", "/admin/nodes", "/admin/nodes", "", 200, "", ""},
    {"POST", "/admin/nodes/fake", "/admin/nodes/fake", "{}", 200, "/admin/nodes/fake", "[]", 400},
    {"GET", "/admin/nodes/{}", node, "", 200, stranger, "", 404},
    {"PUT", "/admin/nodes/{}", stranger, R"({"Key":"$X"})", 204, stranger, R"({"Key":"$A"})", 400},
    {"GET", "/admin/nodes/{}/await-poll", node + "/await-poll", "", 204, stranger + "/await-poll", "", 404},
    {"POST", "/admin/nodes/{}/approve", node + "/approve", "", 200, stranger + "/approve", "", 404},
    {"POST", "/admin/nodes/{}/ping", node + "/ping", "{}", 200, stranger + "/ping", "{}", 404},
    {"POST", "/admin/nodes/{}/raw-map", node + "/raw-map", "{}", 200, stranger + "/raw-map", "{}", 404},
    {"DELETE", "/admin/nodes/{}/raw-map", node + "/raw-map", "", 204, stranger + "/raw-map", "", 404},
    {"GET", "/admin/nodes/{}/routes", node + "/routes", "", 200, stranger + "/routes", "", 404},
    {"PUT", "/admin/nodes/{}/routes", node + "/routes", "[]", 204, stranger + "/routes", "[]", 404},
    {"GET", "/admin/nodes/{}/capmap", node + "/capmap", "", 200, stranger + "/capmap", "", 404},
    {"PUT", "/admin/nodes/{}/capmap", node + "/capmap", "{}", 204, stranger + "/capmap", "{}", 404},
    {"GET", "/admin/nodes/{}/unsigned-peerapi-only", node + "/unsigned-peerapi-only", "", 200,
     stranger + "/unsigned-peerapi-only", "", 404},
    {"PUT", "/admin/nodes/{}/unsigned-peerapi-only", node + "/unsigned-peerapi-only", R"({"value":true})",
     204, stranger + "/unsigned-peerapi-only", R"({"value":true})", 404},
    {"GET", "/admin/nodes/{}/jailed/{}", node + "/jailed/$B", "", 200, node + "/jailed/$X", "", 404},
    {"PUT", "/admin/nodes/{}/jailed/{}", node + "/jailed/$B", R"({"jailed":true})", 204, node + "/jailed/$X",
     R"({"jailed":true})", 404},
    {"POST", "/admin/map-preview", "/admin/map-preview", R"({"NodeKey":"$A"})", 200, "/admin/map-preview",
     R"({"NodeKey":"$X"})", 404},
    {"POST", "/admin/complete-auth", "/admin/complete-auth", R"({"url":"/auth/0"})", 200,
     "/admin/complete-auth", "{}", 400},
    {"POST", "/admin/nodes/{}/c2n", node + "/c2n", R"({"path":"/x"})", 200, stranger + "/c2n",
     R"({"path":"/x"})", 404},
    {"GET", "/admin/c2n/{}", "/admin/c2n/c1?timeout=0s", "", 204, "/admin/c2n/c9", "", 404},
    {"GET", "/admin/nodes/{}/c2n/{}", node + "/c2n/a", "", 200, stranger + "/c2n/a", "", 404},
    {"GET", "/admin/nodes/{}/c2n/{}/{}", node + "/c2n/a/b", "", 200, stranger + "/c2n/a/b", "", 404},
    {"GET", "/admin/nodes/{}/c2n/{}/{}/{}", node + "/c2n/a/b/c", "", 200, stranger + "/c2n/a/b/c", "", 404},
    {"POST", "/admin/nodes/{}/c2n/{}", node + "/c2n/a", "x", 200, stranger + "/c2n/a", "", 404},
    {"POST", "/admin/nodes/{}/c2n/{}/{}", node + "/c2n/a/b", "x", 200, stranger + "/c2n/a/b", "", 404},
    {"POST", "/admin/nodes/{}/c2n/{}/{}/{}", node + "/c2n/a/b/c", "x", 200, stranger + "/c2n/a/b/c", "", 404},
    {"PUT", "/admin/nodes/{}/c2n/{}", node + "/c2n/a", "x", 200, stranger + "/c2n/a", "", 404},
    {"PUT", "/admin/nodes/{}/c2n/{}/{}", node + "/c2n/a/b", "x", 200, stranger + "/c2n/a/b", "", 404},
    {"PUT", "/admin/nodes/{}/c2n/{}/{}/{}", node + "/c2n/a/b/c", "x", 200, stranger + "/c2n/a/b/c", "", 404},
    {"DELETE", "/admin/nodes/{}/c2n/{}", node + "/c2n/a", "", 200, stranger + "/c2n/a", "", 404},
    {"DELETE", "/admin/nodes/{}/c2n/{}/{}", node + "/c2n/a/b", "", 200, stranger + "/c2n/a/b", "", 404},
    {"DELETE", "/admin/nodes/{}/c2n/{}/{}/{}", node + "/c2n/a/b/c", "", 200, node + "/c2n/a/b/%20", "", 400},
    {"GET", "/admin/events", "/admin/events", "", 200, "/admin/events?type=x", "", 400},
    {"GET", "/admin/timeline", "/admin/timeline?node=$A", "", 200, "/admin/timeline?node=$X", "", 404},
    {"POST", "/admin/holds", "/admin/holds", R"({"on":"register"})", 201, "/admin/holds", "{}", 400},
    {"GET", "/admin/holds/{}", "/admin/holds/h1", "", 200, "/admin/holds/h9", "", 404},
    {"DELETE", "/admin/holds/{}", "/admin/holds/h1", "", 204, "/admin/holds/h9", "", 404},
    {"GET", "/admin/holds/{}/next", "/admin/holds/h1/next", "", 200, "/admin/holds/h9/next", "", 404},
    {"GET", "/admin/holds/{}/calls/{}", "/admin/holds/h1/calls/1", "", 200, "/admin/holds/h1/calls/9", "",
     404},
    {"POST", "/admin/holds/{}/calls/{}", "/admin/holds/h1/calls/1", decision, 204, "/admin/holds/h1/calls/9",
     decision, 404},
    {"POST", "/admin/holds/{}/release", "/admin/holds/h1/release", "", 204, "/admin/holds/h9/release", "",
     404},
    {"GET", "/admin/alt-map/streams", "/admin/alt-map/streams", "", 200, "/admin/alt-map/streams?after=x", "",
     400},
    {"GET", "/admin/alt-map/streams/{}", "/admin/alt-map/streams/1", "", 200, "/admin/alt-map/streams/9", "",
     404},
    {"DELETE", "/admin/alt-map/streams/{}", "/admin/alt-map/streams/1", "", 204, "/admin/alt-map/streams/9",
     "", 404},
    {"POST", "/admin/alt-map/streams/{}/messages", "/admin/alt-map/streams/1/messages", "{}", 204,
     "/admin/alt-map/streams/9/messages", "{}", 404},
    {"GET", "/admin/clock", "/admin/clock", "", 200, "", ""},
    {"PUT", "/admin/clock", "/admin/clock", R"({"now":"2030-01-02T03:04:05Z"})", 204, "/admin/clock", "{}",
     400},
    {"POST", "/admin/clock/advance", "/admin/clock/advance", R"({"by":"1h"})", 204, "/admin/clock/advance",
     "{}", 400},
    {"POST", "/admin/reset", "/admin/reset", "", 204, "/admin/reset", "[]", 400},
};

// With a node that polls, another, a held request, a stream and a call to the node.
struct World {
  AdminSite site;
  SiteNode a{site, 1}, b{site, 2}, x{site, 9};
  World() {
    a.enroll();
    b.enroll();
    a.start_poll();
    site.advance(std::chrono::seconds{1});
    REQUIRE(site.call("POST", a.path("/c2n"), R"({"path":"/x","wait":false})").status == 201);
    REQUIRE(site.call("PUT", "/admin/alt-map", R"({"enabled":true})").status == 204);
    b.start_poll();
    REQUIRE(site.call("PUT", "/admin/alt-map", R"({"enabled":false})").status == 204);
    REQUIRE(site.call("POST", "/admin/holds", R"({"on":"map-request"})").status == 201);
    b.start_poll();
    a.read_all();
  }
  std::string fill(std::string text) const {
    for (const auto& [mark, key] : {std::pair{"$A", a.key()}, {"$B", b.key()}, {"$X", x.key()}})
      for (std::size_t at; (at = text.find(mark)) != text.npos;) text.replace(at, 2, key);
    return text;
  }
  admin::Answer run(const std::string& method, const std::string& target, const std::string& body) {
    const auto call = site.begin(method, fill(target), fill(body));
    if (a.waiting() > 0)
      if (const auto frame = a.next(); test::contains(frame, R"("Types":"c2n")"))
        a.reply(frame, "HTTP/1.1 200 OK\r\n\r\n");
    auto answer = site.answer(call);
    REQUIRE(answer);
    return std::move(*answer);
  }
};

}  // namespace

TEST_CASE("Every call of the table works, and refuses what is wrong with an error in JSON") {
  std::multimap<std::string, const Example*> by_row;
  for (const Example& example : examples) by_row.emplace(example.method + " " + example.pattern, &example);
  CHECK(examples.size() == admin::rows().size());
  for (const admin::Row& row : admin::rows()) {
    const std::string name = std::string(text(row.method)) + " " + std::string(row.pattern);
    INFO(name);
    REQUIRE(by_row.count(name) == 1);
    const Example& example = *by_row.find(name)->second;
    {
      World world;
      const auto answer = world.run(example.method, example.good, example.good_body);
      INFO(answer.body);
      CHECK(answer.status == example.good_status);
      CHECK((answer.status == 204) == answer.content_type.empty());
      const bool not_yet = row.query.find("timeout") != row.query.npos && answer.status == 204;
      if (row.response != "Raw" && !not_yet)
        CHECK(answer.status == (row.response.empty() ? 204 : row.status));
    }
    if (example.bad.empty()) continue;
    World world;
    const auto answer = world.run(example.method, example.bad, example.bad_body);
    CHECK(answer.status == example.bad_status);
    CHECK(answer.content_type == "application/json");
    CHECK(answer.body.starts_with(R"({"error":")"));
  }
}

TEST_CASE("Paths and methods that are in no row are not the desk's") {
  AdminSite site;
  CHECK(site.call("GET", "/admin/nothing").status == 404);
  CHECK(site.call("DELETE", "/admin/config").status == 405);
}

// SPDX-License-Identifier: BSD-3-Clause
// Documents: put as a whole, read as they were put, seen in maps.
#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using test::AdminSite;
using test::contains;
using test::SiteNode;

namespace {

struct Two {
  AdminSite site;
  SiteNode a{site, 1}, b{site, 2};
  Two() {
    a.enroll();
    b.enroll();
  }
  std::string preview(const SiteNode& node) {
    return site.call("POST", "/admin/map-preview", R"({"NodeKey":")" + node.key() + R"("})").body;
  }
};

}  // namespace

TEST_CASE("Every document is read as it was put, and unset by null") {
  Two two;
  const std::string a = two.a.key(), b = two.b.key();
  const std::vector<std::pair<std::string, std::string>> documents = {
      {"/admin/derpmap",
       R"({ "Regions": {"900":{"RegionID":900,"RegionCode":"x","RegionName":"x","Nodes":[]}} })"},
      {"/admin/dns", R"({"Domains": ["x.test"],"Unknown":[]})"},
      {"/admin/ssh-policy", R"({"rules": []})"},
      {"/admin/tag-owners", R"({"tag:x": ["tag:y"]})"},
      {"/admin/default-caps", R"({"https": null,"x":[1]})"},
      {"/admin/app-caps", R"({"app.test/cap": [{"a":1}]})"},
      {"/admin/masquerades", R"([{"node":")" + a + R"(","peer":")" + b + R"(","address":"100.70.0.1"}])"},
      {"/admin/first-map-patch", R"({"Domain": "x"})"},
      {two.a.path("/routes"), R"(["10.0.0.0/24"])"},
      {two.a.path("/capmap"), R"({"x": []})"},
      {two.a.path("/unsigned-peerapi-only"), R"({"value":true})"},
      {two.a.path("/jailed/" + b), R"({"jailed":true})"},
  };
  for (const auto& [path, body] : documents) {
    INFO(path);
    CHECK(two.site.call("GET", path).body == "null");
    CHECK(two.site.call("PUT", path, body).status == 204);
    CHECK(two.site.call("GET", path).body == body);
    CHECK(two.site.call("PUT", path, "{").status == 400);
    CHECK(two.site.call("PUT", path, "\"text\"").status == 400);
    CHECK(two.site.call("GET", path).body == body);
    CHECK(two.site.call("PUT", path + "?push=false", "null").status == 204);
    CHECK(two.site.call("GET", path).body == "null");
  }
}

TEST_CASE("What is wrong in a document is named, and nothing is changed") {
  Two two;
  for (const auto& [path, body, what] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"/admin/derpmap", R"({"Regions":1})", "Regions"},
           {"/admin/dns", R"({"Domains":1})", "Domains"},
           {"/admin/ssh-policy", R"({"rules":1})", "rules"},
           {"/admin/tag-owners", R"({"tag:x":1})", "tag:x"},
           {"/admin/default-caps", R"({"x":1})", "capabilities"},
           {"/admin/app-caps", "[]", "capabilities"},
           {"/admin/masquerades", R"([{"node":"x"}])", "0.node"},
           {"/admin/masquerades",
            R"([{"node":")" + two.a.key() + R"(","peer":")" + two.b.key() + R"(","address":"x"}])",
            "0.address"},
           {two.a.path("/routes"), R"(["10.0.0.0"])", "10.0.0.0"},
           {two.a.path("/capmap"), R"({"x":{}})", "capabilities"},
           {two.a.path("/unsigned-peerapi-only"), R"({"Value":true})", "value"},
           {two.a.path("/jailed/" + two.b.key()), R"({"jailed":1})", "jailed"}}) {
    INFO(path);
    const auto refused = two.site.call("PUT", path, body);
    CHECK(refused.status == 400);
    CHECK(contains(refused.body, what));
    CHECK(two.site.call("GET", path).body == "null");
    CHECK(two.site.call("PUT", path + "?push=2", body).status == 400);
  }
  const SiteNode stranger(two.site, 9);
  for (const char* rest : {"/routes", "/capmap", "/unsigned-peerapi-only"}) {
    CHECK(two.site.call("PUT", stranger.path(rest), "null").status == 404);
    CHECK(two.site.call("GET", stranger.path(rest)).status == 404);
  }
  CHECK(two.site.call("PUT", two.a.path("/jailed/" + stranger.key()), "null").status == 404);
  CHECK(two.site.call("GET", two.a.path("/jailed/" + stranger.key())).status == 404);
}

TEST_CASE("Documents reach the maps") {
  Two two;
  const auto put = [&](const std::string& path, const std::string& body) {
    INFO(path);
    CHECK(two.site.call("PUT", path, body).status == 204);
    return two.preview(two.a);
  };
  CHECK(contains(put("/admin/derpmap",
                     R"({"Regions":{"901":{"RegionID":901,"RegionCode":"yy","RegionName":"y","Nodes":[]}}})"),
                 R"("RegionCode":"yy")"));
  CHECK(contains(put("/admin/dns", R"({"Domains":["dns.test"]})"), "dns.test"));
  CHECK(contains(
      put("/admin/ssh-policy",
          R"({"rules":[{"principals":[{"any":true}],"sshUsers":{"u":"v"},"action":{"accept":true}}]})"),
      R"("sshUsers":{"u":"v"})"));
  CHECK(contains(put("/admin/app-caps", R"({"app.test/cap":[{"a":1}]})"), "app.test/cap"));
  CHECK(contains(put("/admin/masquerades", R"([{"node":")" + two.a.key() + R"(","peer":")" + two.b.key() +
                                               R"(","address":"100.70.0.1"}])"),
                 R"("SelfNodeV4MasqAddrForThisPeer":"100.70.0.1")"));
  CHECK(contains(put(two.b.path("/routes"), R"(["10.1.2.0/24"])"), "10.1.2.0/24"));
  CHECK(contains(put(two.b.path("/capmap"), R"({"cap.test/x":["v"]})"), "cap.test/x"));
  CHECK(contains(put(two.a.path("/jailed/" + two.b.key()), R"({"jailed":true})"), R"("IsJailed":true)"));
  CHECK(contains(put(two.b.path("/unsigned-peerapi-only"), R"({"value":true})"),
                 R"("UnsignedPeerAPIOnly":true)"));
  put("/admin/default-caps", R"({"cap.test/new":[]})");
  SiteNode c(two.site, 3);
  c.enroll();
  CHECK(contains(two.preview(c), "cap.test/new"));
}

TEST_CASE("Records are appended, and stand in the document") {
  Two two;
  CHECK(two.site.call("POST", "/admin/dns/records", R"([{"Name":"one.test","Value":"10.0.0.1"}])").status ==
        204);
  CHECK(two.site.call("POST", "/admin/dns/records", R"([{"Name":"two.test","Value":"10.0.0.2"}])").status ==
        204);
  CHECK(
      two.site.call("GET", "/admin/dns").body ==
      R"({"ExtraRecords":[{"Name":"one.test","Value":"10.0.0.1"},{"Name":"two.test","Value":"10.0.0.2"}]})");
  const auto map = two.preview(two.a);
  CHECK(contains(map, "one.test"));
  CHECK(contains(map, "two.test"));
  CHECK(two.site.call("POST", "/admin/dns/records", "{}").status == 400);
  const auto wrong = two.site.call("POST", "/admin/dns/records", R"([{"Name":1}])");
  CHECK(wrong.status == 400);
  CHECK(contains(wrong.body, "Name"));
}

TEST_CASE("A change wakes polls also where nothing has changed") {
  Two two;
  two.a.start_poll();
  two.site.advance(std::chrono::seconds{1});
  two.a.read_all();
  CHECK(two.site.call("PUT", two.a.path("/jailed/" + two.b.key()), R"({"jailed":false})").status == 204);
  two.site.advance(std::chrono::seconds{1});
  CHECK(two.a.waiting() == 1);
}

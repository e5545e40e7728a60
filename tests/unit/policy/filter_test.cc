// SPDX-License-Identifier: BSD-3-Clause
// Who sees whom, and what a node lets in.
#include <random>

#include "policy_desk.h"

using namespace ts2021;
using namespace ts2021::test;

namespace {

// The documented allow-all.
constexpr std::string_view allow_all =
    "{\"acls\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:*\"]}]}";

// Two of alice, one of bob, a database and a web server with tags, a router and an exit node.
void settle(Desk& desk) {
  desk.node(1, "alice@x.org");
  desk.node(2, "alice@x.org");
  desk.node(3, "bob@x.org");
  desk.node(4, "bob@x.org", {"tag:db"});
  desk.node(5, "bob@x.org", {"tag:web", "tag:prod"});
  desk.node(6, "ops@x.org", {"tag:router"}, {"10.1.0.0/16", "10.2.0.0/16"});
  desk.node(7, "ops@x.org", {"tag:exit"}, {"0.0.0.0/0", "::/0"});
}

// The file around some rules.
std::string file(std::string_view rules) {
  return "{\"groups\": {\"group:dev\": [\"alice@x.org\"]},\n"
         "\"hosts\": {\"bobs\": \"100.64.0.3\", \"lan\": \"10.1.5.0/24\"},\n"
         "\"ipsets\": {\"ipset:lans\": [\"10.0.0.0/8\", \"remove lan\"]},\n"
         "\"tagOwners\": {\"tag:db\": [], \"tag:web\": [], \"tag:prod\": [], \"tag:router\": [], "
         "\"tag:exit\": "
         "[]},\n" +
         std::string(rules) + "}";
}

Desk desk_of(std::string_view rules, const PolicyRoles& roles = {}) {
  Desk desk(file(rules), roles);
  settle(desk);
  return desk;
}

std::string acl(std::string_view src, std::string_view dst, std::string_view more = "") {
  return "\"acls\": [{\"action\": \"accept\", \"src\": [" + std::string(src) + "], \"dst\": [" +
         std::string(dst) + "]" + std::string(more) + "}],";
}

}  // namespace

TEST_CASE("policy: allow-all is one class that reaches everything (API-120)") {
  Desk desk{allow_all};
  settle(desk);
  for (unsigned n = 1; n <= 7; ++n) {
    CHECK(desk.rules().view_of(desk.at(n)) == desk.rules().view_of(desk.at(1)));
    CHECK(desk.filter(n) == Lines{"* -> *:*"});
    CHECK(desk.bears(n).empty());
    for (unsigned peer = 1; peer <= 7; ++peer) CHECK(desk.sees(n, peer));
  }
  CHECK(desk.rules().packet_filter(desk.at(1)) == AllowAll().packet_filter(desk.at(1)));
  Desk nothing{"{}"};
  settle(nothing);
  CHECK(nothing.seen(1).empty());
  CHECK(nothing.filter(1).empty());
}

TEST_CASE("policy: selectors, by what they open and to whom (API-121, API-122)") {
  struct Row {
    std::string src, dst;
    unsigned node;
    Lines filter;
    std::string seen;  // by the node
  };
  const Row rows[] = {
      // A user's are those without tags.
      {"\"bob@x.org\"",
       "\"alice@x.org:22\"",
       1,
       {"cap:src/bob@x.org -> 100.64.0.1:22 fd7a:115c:a1e0:ab12:4843:cd96:6240:1:22"},
       "3"},
      {"\"bob@x.org\"", "\"alice@x.org:22\"", 3, {}, "1 2"},
      {"\"bob@x.org\"", "\"alice@x.org:22\"", 4, {}, ""},
      {"\"group:dev\"",
       "\"tag:db:5432\"",
       4,
       {"cap:src/group:dev -> 100.64.0.4:5432 fd7a:115c:a1e0:ab12:4843:cd96:6240:4:5432"},
       "1 2"},
      {"\"group:dev\"", "\"tag:db:5432\"", 2, {}, "4"},
      {"\"tag:db\"",
       "\"tag:prod:80,443\"",
       5,
       {"cap:src/tag:db -> 100.64.0.5:80 100.64.0.5:443 fd7a:115c:a1e0:ab12:4843:cd96:6240:5:80 "
        "fd7a:115c:a1e0:ab12:4843:cd96:6240:5:443"},
       "4"},
      {"\"autogroup:member\"",
       "\"bobs:1000-2000\"",
       3,
       {"cap:src/autogroup:member -> 100.64.0.3:1000-2000"},
       "1 2"},
      {"\"autogroup:tagged\"",
       "\"100.64.0.2:*\"",
       2,
       {"cap:src/autogroup:tagged -> 100.64.0.2:*"},
       "4 5 6 7"},
      {"\"user:*@x.org\"",
       "\"100.64.0.4-100.64.0.6:1\"",
       5,
       {"cap:src/user:*@x.org -> 100.64.0.5:1"},
       "1 2 3"},
      // Addresses are literal, networks are cut to what the node is.
      {"\"bobs\", \"10.9.0.0/16\", \"10.0.0.1-10.0.0.3\"",
       "\"*:*\"",
       1,
       {"100.64.0.3,10.9.0.0/16,10.0.0.1-10.0.0.3 -> *:*"},
       "3"},
      {"\"*\"", "\"100.64.0.0/30:*\"", 1, {"* -> 100.64.0.1:*"}, "2 3 4 5 6 7"},
      {"\"*\"",
       "\"fd7a:115c:a1e0::/48:*\"",
       1,
       {"* -> fd7a:115c:a1e0:ab12:4843:cd96:6240:1:*"},
       "2 3 4 5 6 7"},
      {"\"*\"", "\"lan:443\"", 6, {"* -> 10.1.5.0/24:443"}, "1 2 3 4 5 7"},
      {"\"*\"", "\"10.0.0.0/8:443\"", 6, {"* -> 10.1.0.0/16:443 10.2.0.0/16:443"}, "1 2 3 4 5 7"},
      {"\"*\"",
       "\"ipset:lans:443\"",
       6,
       {"* -> 10.1.0.0-10.1.4.255:443 10.1.6.0-10.1.255.255:443 10.2.0.0/16:443"},
       "1 2 3 4 5 7"},
      {"\"*\"", "\"10.0.0.0/8:443\"", 7, {}, "6"},
      {"\"lan\"", "\"tag:db:*\"", 6, {}, "4"},  // from behind the router
      {"\"group:dev\"", "\"autogroup:internet:*\"", 6, {}, ""},
      {"\"group:dev\"", "\"8.8.8.8:53\"", 7, {"cap:src/group:dev -> 8.8.8.8:53"}, "1 2"},
      {"\"group:dev\"", "\"8.8.8.8:53\"", 6, {}, ""},
      {"\"autogroup:shared\"", "\"*:*\"", 1, {}, ""},
      {"\"autogroup:danger-all\"", "\"bobs:*\"", 3, {"* -> 100.64.0.3:*"}, "1 2 4 5 6 7"},
      {"\"autogroup:owner\"",
       "\"bobs:*\"",
       3,
       {"cap:src/autogroup:owner -> 100.64.0.3:*"},
       ""},  // nobody has the role
      {"\"autogroup:admin\"", "\"bobs:*\"", 3, {"cap:src/autogroup:admin -> 100.64.0.3:*"}, "1 2"},
      // Everybody makes the others needless; two names of one thing are one.
      {"\"group:dev\", \"*\"", "\"bobs:1\"", 3, {"* -> 100.64.0.3:1"}, "1 2 4 5 6 7"},
      {"\"*\"",
       "\"tag:web:1\", \"tag:prod:1\"",
       5,
       {"* -> 100.64.0.5:1 fd7a:115c:a1e0:ab12:4843:cd96:6240:5:1"},
       "1 2 3 4 6 7"},
      {"\"*\"",
       "\"[fd7a:115c:a1e0:ab12:4843:cd96:6240:3]:1\"",
       3,
       {"* -> fd7a:115c:a1e0:ab12:4843:cd96:6240:3:1"},
       "1 2 4 5 6 7"},
  };
  for (const Row& row : rows) {
    INFO(row.src << " to " << row.dst << " at " << row.node);
    const Desk desk = desk_of(acl(row.src, row.dst), {{"admin", {"alice@x.org"}}});
    CHECK(desk.filter(row.node) == row.filter);
    CHECK(desk.seen(row.node) == row.seen);
  }
}

TEST_CASE("policy: exit nodes serve the internet and nothing else (API-123)") {
  const Desk desk = desk_of(acl("\"group:dev\"", "\"autogroup:internet:*\""));
  REQUIRE(desk.filter(7).size() == 1);
  CHECK(
      desk.filter(7)[0] ==
      "cap:src/group:dev -> 0.0.0.0-9.255.255.255:* 11.0.0.0-100.63.255.255:* 100.128.0.0-126.255.255.255:* "
      "128.0.0.0-169.253.255.255:* 169.255.0.0-172.15.255.255:* 172.32.0.0-192.167.255.255:* "
      "192.169.0.0-255.255.255.255:* 2000::/3:*");
  CHECK(desk.seen(7) == "1 2");
  CHECK(desk.seen(3).empty());
}

TEST_CASE("policy: only routes that are advertised and approved count") {
  Desk desk = desk_of(acl("\"*\"", "\"10.1.0.0/16:1\""));
  desk.record(6).approved_routes = {*IpPrefix::parse("10.2.0.0/16"), *IpPrefix::parse("10.9.0.0/16")};
  CHECK(desk.filter(6).empty());
  desk.record(6).approved_routes = {*IpPrefix::parse("10.1.0.0/16")};
  CHECK(desk.filter(6) == Lines{"* -> 10.1.0.0/16:1"});
  desk.record(6).hostinfo = std::make_shared<Hostinfo>();
  CHECK(desk.filter(6).empty());
}

TEST_CASE("policy: protocols") {
  const auto filter = [](std::string_view proto, std::string_view ports) {
    return desk_of(acl("\"*\"", "\"bobs:" + std::string(ports) + "\"",
                       ", \"proto\": \"" + std::string(proto) + "\""))
        .filter(3);
  };
  CHECK(filter("tcp", "22") == Lines{"* -> 100.64.0.3:22 /6"});
  CHECK(filter("icmp", "*") == Lines{"* -> 100.64.0.3:* /1 /58"});
  CHECK(filter("sctp", "9") == Lines{"* -> 100.64.0.3:9 /132"});
  CHECK(filter("89", "*") == Lines{"* -> 100.64.0.3:* /89"});
  CHECK(filter("gre", "*") == Lines{"* -> 100.64.0.3:* /47"});
}

TEST_CASE("policy: autogroup:self is the source's own nodes without tags (API-124)") {
  const Desk desk = desk_of(acl("\"autogroup:member\"", "\"autogroup:self:*\""));
  CHECK(desk.filter(1) == Lines{"cap:self/1 -> 100.64.0.1:* fd7a:115c:a1e0:ab12:4843:cd96:6240:1:*"});
  CHECK(desk.filter(3) == Lines{"cap:self/2 -> 100.64.0.3:* fd7a:115c:a1e0:ab12:4843:cd96:6240:3:*"});
  CHECK(desk.filter(4).empty());  // bob's, but tagged
  CHECK(desk.seen(1) == "2");
  CHECK(desk.seen(3).empty());
  CHECK(desk.bears(1) == "self/1 src/autogroup:member");
  CHECK(desk.bears(4).empty());

  const Desk all = desk_of(acl("\"*\"", "\"autogroup:self:*\""));
  CHECK(all.filter(3).size() == 1);
  CHECK(all.filter(4).empty());
  CHECK(all.seen(4).empty());
  CHECK(all.bears(3) == "self/2");
  CHECK(all.bears(4).empty());

  const Desk dev = desk_of(acl("\"group:dev\"", "\"autogroup:self:22\", \"tag:db:5432\""));
  CHECK(dev.filter(1) == Lines{"cap:self/1 -> 100.64.0.1:22 fd7a:115c:a1e0:ab12:4843:cd96:6240:1:22"});
  CHECK(dev.filter(3).empty());  // bob is not in it
  CHECK(dev.seen(1) == "2 4");
  CHECK(dev.filter(4) ==
        Lines{"cap:src/group:dev -> 100.64.0.4:5432 fd7a:115c:a1e0:ab12:4843:cd96:6240:4:5432"});
}

TEST_CASE("policy: a node bears the capabilities of the sources that it is (API-122)") {
  const Desk desk =
      desk_of(acl("\"group:dev\", \"tag:db\", \"tag:web\", \"bob@x.org\", \"bobs\", \"autogroup:tagged\"",
                  "\"tag:exit:*\""));
  CHECK(desk.bears(1) == "src/group:dev");
  CHECK(desk.bears(3) == "src/bob@x.org");
  CHECK(desk.bears(4) == "src/autogroup:tagged src/tag:db");
  CHECK(desk.bears(5) == "src/autogroup:tagged src/tag:web");  // tag:prod is no source
  CHECK(desk.bears(7) == "src/autogroup:tagged");
}

TEST_CASE("policy: grants open ports or give capabilities, never both in a rule (API-125)") {
  const Desk desk = desk_of(
      "\"grants\": [{\"src\": [\"group:dev\"], \"dst\": [\"tag:db\", \"lan\"],\n"
      "  \"ip\": [\"tcp:443\", \"tcp:8080-8090\", \"icmp:*\", \"53\"],\n"
      "  \"app\": {\"x.org/cap/sql\": [{\"db\" : [\"a\"]}, {\"n\": 1}]}}],");
  const std::string v4 = "100.64.0.4", v6 = "fd7a:115c:a1e0:ab12:4843:cd96:6240:4";
  CHECK(
      desk.filter(4) ==
      Lines{"cap:src/group:dev -> " + v4 + ":443 " + v4 + ":8080-8090 " + v6 + ":443 " + v6 + ":8080-8090 /6",
            "cap:src/group:dev -> " + v4 + ":* " + v6 + ":* /1 /58",
            "cap:src/group:dev -> " + v4 + ":53 " + v6 + ":53",
            "cap:src/group:dev => " + v4 + "/32 " + v6 + "/128 x.org/cap/sql=[{\"db\":[\"a\"]},{\"n\":1}]"});
  CHECK(desk.filter(6).back() ==
        "cap:src/group:dev => 10.1.5.0/24 x.org/cap/sql=[{\"db\":[\"a\"]},{\"n\":1}]");
  CHECK(desk.seen(4) == "1 2");
  const Desk everybody = desk_of(
      "\"grants\": [{\"src\": [\"*\"], \"dst\": [\"*\"], \"ip\": [\"*\"], \"app\": {\"x.y/z\": []}}],");
  CHECK(everybody.filter(3) ==
        Lines{"* -> *:*", "* => 100.64.0.3/32 fd7a:115c:a1e0:ab12:4843:cd96:6240:3/128 x.y/z=[]"});
}

TEST_CASE("policy: who may use a relay or a drive is known to it as such (API-126)") {
  const Desk desk = desk_of(
      "\"grants\": [{\"src\": [\"group:dev\"], \"dst\": [\"tag:web\"], \"app\": "
      "{\"tailscale.com/cap/relay\": []}},"
      "{\"src\": [\"bob@x.org\"], \"dst\": [\"autogroup:self\"], \"app\": {\"tailscale.com/cap/drive\": "
      "[{\"shares\": [\"*\"], \"access\": \"rw\"}]}}],");
  const auto own = [](unsigned n) {
    return "100.64.0." + std::to_string(n) + "/32 fd7a:115c:a1e0:ab12:4843:cd96:6240:" + std::to_string(n) +
           "/128";
  };
  CHECK(desk.filter(5) == Lines{"cap:src/group:dev => " + own(5) + " tailscale.com/cap/relay=[]"});
  CHECK(desk.filter(1) == Lines{"cap:src/tag:web => " + own(1) + " tailscale.com/cap/relay-target=[]"});
  CHECK(desk.bears(5) == "src/tag:web");
  CHECK(desk.filter(3) ==
        Lines{"cap:self/2 => " + own(3) + " tailscale.com/cap/drive=[{\"shares\":[\"*\"],\"access\":\"rw\"}]",
              "cap:self/2 => " + own(3) + " tailscale.com/cap/drive-sharer=[]"});
}

TEST_CASE("policy: logins without a domain are written with an @ at their end") {
  Desk desk("{\"acls\": [{\"action\": \"accept\", \"src\": [\"alice@\"], \"dst\": [\"bob@:*\"]}]}");
  desk.node(1, "alice");
  desk.node(2, "bob");
  desk.node(3, "alice@x.org");
  CHECK(desk.seen(2) == "1");
  CHECK(desk.bears(1) == "src/alice@");
  CHECK(desk.bears(3).empty());
}

TEST_CASE("policy: a login can't pass for a group or tag") {
  Desk desk(file(acl("\"group:dev\", \"tag:db\", \"autogroup:tagged\"", "\"*:*\"")));
  desk.node(1, "group:dev");
  desk.node(2, "tag:db");
  desk.node(3, "autogroup:tagged");
  for (unsigned n = 1; n <= 3; ++n) CHECK(desk.bears(n).empty());
}

TEST_CASE("policy: classes stay while nodes come and go") {
  Desk desk = desk_of(acl("\"group:dev\"", "\"tag:db:*\""));
  const ViewClass first = desk.rules().view_of(desk.at(1));
  for (unsigned n = 3; n <= 7; ++n) (void)desk.rules().view_of(desk.at(n));
  CHECK(desk.rules().view_of(desk.at(1)) == first);
  CHECK(desk.rules().view_of(desk.at(2)) == first);  // the same user's
  CHECK(desk.rules().view_of(desk.at(3)) != first);
  CHECK(desk.rules().view_of(desk.at(3)) == desk.rules().view_of(desk.at(5)));  // both: nothing
  CHECK_FALSE(desk.rules().sees(ViewClass{99}, desk.at(4)));                    // of another policy
}

TEST_CASE("policy: sight is mutual, and whoever may reach is seen (API-120)") {
  std::mt19937 random(3);
  const std::string_view who[] = {
      "\"*\"",          "\"alice@x.org\"",      "\"bob@x.org\"",        "\"group:dev\"", "\"tag:db\"",
      "\"tag:web\"",    "\"autogroup:member\"", "\"autogroup:tagged\"", "\"bobs\"",      "\"lan\"",
      "\"10.0.0.0/8\"", "\"ipset:lans\"",       "\"100.64.0.0/29\""};
  for (int round = 0; round < 60; ++round) {
    std::string rules = "\"acls\": [";
    for (int i = 0; i < 3; ++i) {
      std::string dst(who[random() % std::size(who)]);
      dst.insert(dst.size() - 1, ":*");
      rules += "{\"action\": \"accept\", \"src\": [" + std::string(who[random() % std::size(who)]) +
               "], \"dst\": [" + dst + "]},";
    }
    const Desk desk = desk_of(rules + "],");
    INFO(rules);
    for (unsigned a = 1; a <= 7; ++a)
      for (unsigned b = 1; b <= 7; ++b) {
        if (a == b) continue;
        CHECK(desk.sees(a, b) == desk.sees(b, a));
        // From what the filter of b says about sources that are nodes.
        bool named = false;
        const std::string bears = " " + desk.bears(a) + " ";
        for (const FilterRule& rule : desk.rules().packet_filter(desk.at(b)))
          for (const std::string& source : rule.src_ips)
            named =
                named || source == "*" || source == "100.64.0." + std::to_string(a) ||
                (source.starts_with("cap:") && bears.find(" " + source.substr(4) + " ") != std::string::npos);
        if (named) CHECK(desk.sees(a, b));
      }
  }
}

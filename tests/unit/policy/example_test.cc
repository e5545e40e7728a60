// SPDX-License-Identifier: BSD-3-Clause
// Whole files as people write them.
#include "policy_desk.h"

using namespace ts2021;
using namespace ts2021::test;

namespace {

// A small company: who runs servers, who writes for them, who may look.
constexpr std::string_view company = R"(// Access to our machines.
{
  "groups": {
    "group:ops": ["olga@example.com"],
    "group:dev": ["dan@example.com", "dora@example.com"], // ask Olga
    "group:intern": ["ivan@example.com"],
  },
  "hosts": {
    "postgres": "10.20.0.2/32",
    "web-lan":  "10.20.10.1/29", // host bits don't matter
  },
  "tagOwners": {
    "tag:prod": ["group:ops"],
    "tag:dev":  ["group:ops", "group:dev"],
    "tag:ci":   ["tag:ci", "group:ops"],
  },
  "autoApprovers": {
    "routes":   {"10.20.0.0/16": ["tag:prod"]},
    "exitNode": ["group:ops"],
  },
  "acls": [
    /* Operators go everywhere. */
    {"action": "accept", "src": ["group:ops"], "dst": ["*:*"]},
    {"action": "accept", "src": ["group:ops"], "proto": "icmp", "dst": ["tag:dev:*"]},
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:dev:*", "tag:prod:80,443", "postgres:5432", "web-lan:443"]},
    {"action": "accept", "src": ["tag:ci"], "proto": "tcp", "dst": ["tag:dev:8000-8099"]},
    {"action": "accept", "src": ["group:intern"], "dst": ["tag:dev:80,443"]},
    {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:*"]},
  ],
  "ssh": [
    {"action": "check", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["autogroup:nonroot", "root"]},
    {"action": "accept", "src": ["group:ops"], "dst": ["tag:prod", "tag:dev"], "users": ["root"]},
  ],
  "nodeAttrs": [
    {"target": ["autogroup:member"], "attr": ["funnel"]},
  ],
  "tests": [
    {"src": "dan@example.com", "accept": ["tag:dev:22", "tag:prod:443", "postgres:5432"], "deny": ["tag:prod:22"]},
    {"src": "group:intern", "accept": ["tag:dev:80"], "deny": ["tag:dev:22", "tag:prod:80", "postgres:5432"]},
    {"src": "tag:ci", "proto": "tcp", "accept": ["tag:dev:8000"], "deny": ["tag:dev:80"]},
    {"src": "olga@example.com", "accept": ["tag:prod:22", "8.8.8.8:443"]},
  ],
  "sshTests": [
    {"src": "olga@example.com", "dst": ["tag:prod"], "accept": ["root"], "deny": ["ubuntu"]},
    {"src": "ivan@example.com", "dst": ["tag:dev"], "deny": ["root"]},
  ],
}
)";

// What a new network starts with, in today's form.
constexpr std::string_view start = R"({
  // Allow all connections.
  "grants": [
    {"src": ["*"], "dst": ["*"], "ip": ["*"]},
    // {"src": ["group:example"], "dst": ["tag:example"], "ip": ["*"]},
  ],
  "ssh": [
    {"action": "check", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["autogroup:nonroot", "root"]},
  ],
  "nodeAttrs": [
    {"target": ["autogroup:member"], "attr": ["funnel"]},
  ],
  // "tests": [],
})";

}  // namespace

TEST_CASE("policy: a company's file") {
  Desk desk{company};
  desk.node(1, "olga@example.com");
  desk.node(2, "dan@example.com");
  desk.node(3, "dan@example.com");
  desk.node(4, "ivan@example.com");
  desk.node(5, "olga@example.com", {"tag:prod"}, {"10.20.0.0/16"});
  desk.node(6, "dan@example.com", {"tag:dev"});
  desk.node(7, "olga@example.com", {"tag:ci"});
  CHECK(desk.seen(1) == "2 3 4 5 6 7");
  CHECK(desk.seen(2) == "1 3 5 6");
  CHECK(desk.seen(4) == "1 6");
  CHECK(desk.seen(5) == "1 2 3");
  CHECK(desk.seen(6) == "1 2 3 4 7");
  CHECK(desk.seen(7) == "1 6");
  CHECK(desk.filter(7) == Lines{"cap:src/group:ops -> *:*"});
  const std::string v6 = "fd7a:115c:a1e0:ab12:4843:cd96:6240:5";
  CHECK(desk.filter(5) ==
        Lines{"cap:src/group:ops -> *:*", "cap:src/group:dev -> 100.64.0.5:80 100.64.0.5:443 " + v6 + ":80 " +
                                              v6 + ":443 10.20.0.2:5432 10.20.10.0/29:443"});
  CHECK(desk.bears(2) == "self/2 src/autogroup:member src/group:dev");
  CHECK(desk.ssh(2) == Lines{"[check] dan@example.com: *:= root:root"});
  CHECK(desk.ssh(5) == Lines{"[accept] olga@example.com: root:root"});
  CHECK(desk.rules().approves_route(desk.at(5), *IpPrefix::parse("10.20.0.0/16")));
  CHECK(desk.rules().may_tag("dan@example.com", {}, "tag:dev"));
}

TEST_CASE("policy: what a new network starts with sees and reaches like allow-all (API-120)") {
  Desk desk{start};
  desk.node(1, "a@x");
  desk.node(2, "b@x", {"tag:x"});
  desk.node(3, "c@x", {}, {"0.0.0.0/0"});
  for (unsigned n = 1; n <= 3; ++n) {
    CHECK(desk.rules().packet_filter(desk.at(n)) == AllowAll().packet_filter(desk.at(n)));
    CHECK(desk.rules().view_of(desk.at(n)) == desk.rules().view_of(desk.at(1)));
  }
  CHECK(desk.seen(2) == "1 3");
}

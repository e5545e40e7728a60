// SPDX-License-Identifier: BSD-3-Clause
// Tags, routes and attributes.
#include "policy_desk.h"

using namespace ts2021;
using namespace ts2021::test;

namespace {

bool may(const Policy& policy, std::string_view login, std::string_view tag) {
  return policy.may_tag(login, {}, tag);
}
bool may_as(const Policy& policy, std::vector<std::string> tags, std::string_view tag) {
  return policy.may_tag("alice@x.org", tags, tag);
}
IpPrefix prefix(std::string_view text) { return *IpPrefix::parse(text); }

}  // namespace

TEST_CASE("policy: who may bear which tag") {
  const auto rules = policy(
      "{\"groups\": {\"group:ops\": [\"olga@x.org\"]}, \"tagOwners\": {"
      "\"tag:a\": [\"alice@x.org\", \"group:ops\"], \"tag:b\": [\"tag:a\"], \"tag:c\": [],"
      "\"tag:d\": [\"autogroup:member\"], \"tag:e\": [\"autogroup:auditor\"]}}",
      {{"admin", {"root@x.org"}}, {"auditor", {"bob@x.org"}}});
  CHECK(may(*rules, "alice@x.org", "tag:a"));
  CHECK(may(*rules, "olga@x.org", "tag:a"));
  CHECK_FALSE(may(*rules, "bob@x.org", "tag:a"));
  CHECK_FALSE(may(*rules, "alice@x.org", "tag:b"));
  CHECK(may_as(*rules, {"tag:x", "tag:a"}, "tag:b"));
  CHECK_FALSE(may_as(*rules, {"tag:b"}, "tag:a"));  // nor as the user whose node it was
  CHECK_FALSE(may_as(*rules, {"tag:b"}, "tag:d"));
  CHECK_FALSE(may(*rules, "alice@x.org", "tag:c"));
  CHECK(may(*rules, "root@x.org", "tag:c"));        // admins may use every tag,
  CHECK_FALSE(may(*rules, "root@x.org", "tag:z"));  // if it is one
  CHECK(may(*rules, "anybody@y.org", "tag:d"));
  CHECK(may(*rules, "bob@x.org", "tag:e"));
  CHECK_FALSE(may(*rules, "bob@x.org", "tag:c"));
}

TEST_CASE("policy: which routes are approved by themselves") {
  Desk desk(
      "{\"tagOwners\": {\"tag:r\": [], \"tag:e\": []}, \"autoApprovers\": {\"routes\": {"
      "\"10.0.0.0/8\": [\"tag:r\", \"alice@x.org\"], \"2001:db8::/32\": [\"autogroup:tagged\"], "
      "\"0.0.0.0/0\": [\"carl@x.org\"]}, \"exitNode\": [\"tag:e\"]}}");
  desk.node(1, "alice@x.org");
  desk.node(2, "alice@x.org", {"tag:r"});
  desk.node(3, "bob@x.org", {"tag:e"});
  desk.node(4, "carl@x.org");
  const auto approves = [&desk](unsigned n, std::string_view route) {
    return desk.rules().approves_route(desk.at(n), prefix(route));
  };
  CHECK(approves(1, "10.0.0.0/8"));
  CHECK(approves(2, "10.20.0.0/16"));
  CHECK_FALSE(approves(2, "10.0.0.0/7"));
  CHECK_FALSE(approves(2, "192.168.0.0/16"));
  CHECK_FALSE(approves(3, "10.20.0.0/16"));
  CHECK(approves(3, "2001:db8:1::/48"));
  CHECK_FALSE(approves(1, "2001:db8:1::/48"));
  CHECK(approves(3, "0.0.0.0/0"));
  CHECK(approves(3, "::/0"));
  CHECK_FALSE(approves(2, "0.0.0.0/0"));
  CHECK(approves(4, "192.168.0.0/16"));
  CHECK_FALSE(approves(4, "0.0.0.0/0"));  // every network, but not as an exit node
  CHECK_FALSE(desk.rules().approves_route(desk.at(2), IpPrefix{}));
}

TEST_CASE("policy: attributes of nodes") {
  Desk desk(
      "{\"tagOwners\": {\"tag:r\": []}, \"randomizeClientPort\": true, \"nodeAttrs\": ["
      "{\"target\": [\"*\"], \"attr\": [\"magicdns-aaaa\"]},"
      "{\"target\": [\"autogroup:member\", \"100.64.0.2\"], \"attr\": [\"funnel\", \"drive:share\"]},"
      "{\"target\": [\"tag:r\"], \"app\": {\"tailscale.com/app-connectors\": [{\"name\": \"x\"}]}},"
      "{\"target\": [\"100.64.0.2\"], \"app\": {\"tailscale.com/app-connectors\": [2]}}]}");
  desk.node(1, "alice@x.org");
  desk.node(2, "alice@x.org", {"tag:r"});
  desk.node(3, "alice@x.org", {"tag:x"});
  const auto names = [&desk](unsigned n) {
    std::vector<std::string> out;
    for (const auto& [name, values] : desk.rules().node_attributes(desk.at(n))) {
      out.push_back(name);
      for (const RawJson& value : values) out.emplace_back(value.text());
    }
    return joined(out);
  };
  CHECK(names(1) == "drive:share funnel magicdns-aaaa randomize-client-port");
  CHECK(names(2) ==
        "drive:share funnel magicdns-aaaa randomize-client-port tailscale.com/app-connectors "
        "{\"name\":\"x\"} 2");
  CHECK(names(3) == "magicdns-aaaa randomize-client-port");
}

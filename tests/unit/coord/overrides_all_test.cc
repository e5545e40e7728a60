// SPDX-License-Identifier: BSD-3-Clause
// Overrides for everybody: grants, SSH, DNS.
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/strict_fold.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;

struct Pair {
  Desk desk;
  Client alice{desk, 1}, old{desk, 2, Capability{60}};
  StrictFold fold, olds{Capability{60}};

  Pair() {
    for (auto* client : {&alice, &old}) {
      client->enroll();
      client->start_poll();
    }
    read();
  }
  void read() {
    desk.advance(milliseconds{300});
    for (const auto& message : alice.read_all()) REQUIRE(fold.apply(message) == "");
    for (const auto& message : old.read_all()) REQUIRE(olds.apply(message) == "");
  }
  std::string order(CoordOrder what) {
    const CommandId id = desk.order(std::move(what));
    desk.pump();
    REQUIRE(desk.done.at(id).status == 200);
    read();
    return desk.done.at(id).body;
  }
};

SSHPolicy let_in(std::string user) {
  SSHPolicy policy;
  SSHRule& rule = policy.rules.emplace_back();
  rule.principals.emplace_back().any = true;
  rule.ssh_users = {{std::move(user), "="}};
  rule.action.accept = true;
  return policy;
}

}  // namespace

TEST_CASE("TEST-39: what is granted by all to all comes beside the policy's rules") {
  Pair pair;
  const auto before = *pair.fold->filter;
  const CapMap caps{{"x.test/a", {*RawJson::parse("[1]")}}, {"x.test/b", {}}};
  pair.order(coord_command::SetAppCaps{caps});
  REQUIRE(pair.fold->filter->size() == before.size() + 1);
  const FilterRule& rule = pair.fold->filter->back();
  CHECK(rule.src_ips == std::vector<std::string>{"*"});
  REQUIRE(rule.cap_grant.size() == 1);
  CHECK(rule.cap_grant[0].cap_map == caps);
  CHECK(rule.cap_grant[0].dsts == std::vector{*IpPrefix::parse("0.0.0.0/0"), *IpPrefix::parse("::/0")});
  CHECK(pair.olds->filter->back().cap_grant[0].caps == std::vector<std::string>{"x.test/a", "x.test/b"});
  pair.order(coord_command::SetAppCaps{});
  CHECK(*pair.fold->filter == before);
}

TEST_CASE("TEST-41: an SSH policy for all replaces the tailnet's") {
  Pair pair;
  CHECK(!pair.fold->ssh);
  pair.order(coord_command::SetSshPolicy{let_in("root")});
  CHECK(pair.fold->ssh == let_in("root"));
  CHECK(pair.olds->ssh == let_in("root"));
  pair.order(coord_command::SetSshPolicy{let_in("alice")});
  CHECK(pair.fold->ssh == let_in("alice"));
  pair.order(coord_command::SetSshPolicy{});
  CHECK(pair.fold->ssh == SSHPolicy{});
}

TEST_CASE("TEST-40: DNS settings as they were given, members that we don't know included") {
  Pair pair;
  const auto settings = *pair.fold->dns;
  const auto given = decode_copy<DNSConfig>(as_bytes(std::string_view(
      R"({"Proxied":true,"Domains":["own.test"],"CertDomains":["c.test"],"Sky":{"blue":true}})")));
  REQUIRE(given);
  pair.order(coord_command::SetDnsConfig{*given});
  CHECK(pair.fold->dns == *given);
  CHECK(pair.fold->dns->extra.text() == R"({"Sky":{"blue":true}})");
  CHECK(pair.olds->dns == *given);
  const DNSRecord record{"a.own.test", "A", "192.0.2.1"}, other{"b.own.test", "", "192.0.2.2"};
  pair.order(coord_command::AddDnsRecords{{record}});
  CHECK(pair.fold->dns->extra_records == std::vector{record});
  const std::string now = pair.order(coord_command::AddDnsRecords{{other}});
  CHECK(now == encoded(*pair.fold->dns));
  CHECK(pair.fold->dns->extra_records == std::vector{record, other});
  CHECK(pair.fold->dns->domains == given->domains);
  pair.order(coord_command::SetDnsConfig{});
  CHECK(pair.fold->dns == settings);
  // Without such a document they join the tailnet's own.
  pair.order(coord_command::AddDnsRecords{{record}});
  CHECK(pair.fold->dns->extra_records == std::vector{record});
  CHECK(pair.fold->dns->domains == settings.domains);
}

TEST_CASE("TEST-31: outside test mode nobody is told what has not changed") {
  Pair pair;
  const auto frames = pair.desk.coordinator.counters().frames;
  pair.order(coord_command::ApproveNode{pair.desk.record(pair.alice.node_key)->id, true});
  pair.alice.update();
  pair.read();
  pair.alice.update();
  pair.read();
  CHECK(pair.desk.coordinator.counters().frames <= frames + 2);  // of the first update
}

}  // namespace ts2021::test

// SPDX-License-Identifier: BSD-3-Clause
// Who may open SSH sessions where.
#include "policy_desk.h"

using namespace ts2021;
using namespace ts2021::test;

namespace {

void settle(Desk& desk) {
  desk.node(1, "alice@x.org");
  desk.node(2, "alice@x.org");
  desk.node(3, "bob@x.org");
  desk.node(4, "carl@y.org");
  desk.node(5, "bob@x.org", {"tag:db"});
  desk.node(6, "bob@x.org", {"tag:ci"});
  desk.node(7, "bob@x.org", {"tag:rec"});
}

Desk desk_of(std::string_view rule) {
  Desk desk(
      "{\"groups\": {\"group:dev\": [\"bob@x.org\", \"alice@x.org\"], \"group:none\": []},"
      "\"tagOwners\": {\"tag:db\": [], \"tag:ci\": [], \"tag:rec\": [], \"tag:gone\": []},"
      "\"ssh\": [" +
      std::string(rule) + "]}");
  settle(desk);
  return desk;
}

std::string rule(std::string_view src, std::string_view dst, std::string_view users,
                 std::string_view more = "") {
  return "{\"action\": \"accept\", \"src\": [" + std::string(src) + "], \"dst\": [" + std::string(dst) +
         "], \"users\": [" + std::string(users) + "]" + std::string(more) + "}";
}

}  // namespace

TEST_CASE("policy: SSH rules, as each server gets them (API-127)") {
  struct Row {
    std::string src, dst, users;
    unsigned node;
    Lines rules;
  };
  const Row rows[] = {
      {"\"group:dev\"",
       "\"tag:db\"",
       "\"root\", \"ubuntu\"",
       5,
       {"[accept] alice@x.org,bob@x.org: root:root ubuntu:ubuntu"}},
      {"\"group:dev\"", "\"tag:db\"", "\"root\"", 6, {}},
      {"\"group:dev\"",
       "\"tag:db\"",
       "\"autogroup:nonroot\"",
       5,
       {"[accept] alice@x.org,bob@x.org: *:= root:"}},
      {"\"group:dev\"",
       "\"tag:db\"",
       "\"autogroup:nonroot\", \"root\"",
       5,
       {"[accept] alice@x.org,bob@x.org: *:= root:root"}},
      {"\"group:dev\"",
       "\"tag:db\"",
       "\"root\", \"autogroup:nonroot\"",
       5,
       {"[accept] alice@x.org,bob@x.org: *:= root:root"}},
      {"\"tag:ci\"", "\"tag:db\"", "\"deploy\"", 5, {"[accept] node:n6: deploy:deploy"}},
      {"\"tag:gone\"", "\"tag:db\"", "\"deploy\"", 5, {}},
      {"\"group:none\"", "\"tag:db\"", "\"deploy\"", 5, {}},
      {"\"autogroup:tagged\"",
       "\"tag:db\"",
       "\"deploy\"",
       5,
       {"[accept] node:n5,node:n6,node:n7: deploy:deploy"}},
      {"\"autogroup:member\"", "\"tag:db\"", "\"u\"", 5, {"[accept] alice@x.org,bob@x.org,carl@y.org: u:u"}},
      {"\"user:*@x.org\"", "\"tag:db\"", "\"u\"", 5, {"[accept] alice@x.org,bob@x.org: u:u"}},
      {"\"autogroup:member\"", "\"autogroup:self\"", "\"root\"", 1, {"[accept] alice@x.org: root:root"}},
      {"\"autogroup:member\"", "\"autogroup:self\"", "\"root\"", 3, {"[accept] bob@x.org: root:root"}},
      {"\"autogroup:member\"", "\"autogroup:self\"", "\"root\"", 5, {}},
      {"\"group:dev\"", "\"autogroup:self\"", "\"root\"", 4, {}},
      {"\"alice@x.org\"", "\"alice@x.org\"", "\"root\"", 2, {"[accept] alice@x.org: root:root"}},
      {"\"alice@x.org\"", "\"alice@x.org\"", "\"root\"", 3, {}},
      {"\"carl@y.org\"", "\"autogroup:tagged\"", "\"root\"", 6, {"[accept] carl@y.org: root:root"}},
      {"\"autogroup:member\"",
       "\"tag:db\"",
       "\"localpart:*@x.org\"",
       5,
       {"[accept] alice@x.org: alice:=", "[accept] bob@x.org: bob:="}},
      {"\"alice@x.org\"",
       "\"tag:db\"",
       "\"localpart:*@x.org\", \"root\"",
       5,
       {"[accept] alice@x.org: root:root", "[accept] alice@x.org: alice:="}},
  };
  for (const Row& row : rows) {
    INFO(row.src << " to " << row.dst << " as " << row.users << " at " << row.node);
    CHECK(desk_of(rule(row.src, row.dst, row.users)).ssh(row.node) == row.rules);
  }
}

TEST_CASE("policy: an accepted session may forward; variables pass") {
  const Desk desk =
      desk_of(rule("\"group:dev\"", "\"tag:db\"", "\"u\"", ", \"acceptEnv\": [\"LANG\", \"GIT_*\"]"));
  CHECK(desk.ssh(5) == Lines{"[accept] alice@x.org,bob@x.org: u:u env=LANG env=GIT_*"});
  const auto answer = desk.rules().ssh_policy(desk.at(5), {});
  const SSHAction& action = answer->rules.at(0).action;
  CHECK((action.accept && action.allow_agent_forwarding && action.allow_local_port_forwarding &&
         action.allow_remote_port_forwarding));
}

TEST_CASE("policy: check mode asks at the address that clients fill in (API-128)") {
  struct Row {
    std::string_view period, seconds;
  };
  const Row rows[] = {{"", "43200"},
                      {", \"checkPeriod\": \"20m\"", "1200"},
                      {", \"checkPeriod\": \"always\"", "0"},
                      {", \"checkPeriod\": \"1h30m\"", "5400"}};
  for (const Row& row : rows) {
    const Desk desk = desk_of(
        "{\"action\": \"check\", \"src\": [\"group:dev\"], \"dst\": [\"tag:db\"], \"users\": [\"root\"]" +
        std::string(row.period) + "}");
    const auto answer = desk.rules().ssh_policy(desk.at(5), {});
    REQUIRE(answer);
    const SSHAction& action = answer->rules.at(0).action;
    CHECK_FALSE(action.accept);
    CHECK_FALSE(action.reject);
    CHECK_FALSE(action.message.empty());
    CHECK(action.allow_local_port_forwarding);  // for afterwards
    CHECK(action.hold_and_delegate ==
          "https://unused/machine/ssh/action/from/$SRC_NODE_ID/to/$DST_NODE_ID"
          "?ssh_user=$SSH_USER&local_user=$LOCAL_USER&period=" +
              std::string(row.seconds));
  }
}

TEST_CASE("policy: recorders") {
  CHECK(desk_of(rule("\"group:dev\"", "\"tag:db\"", "\"u\"", ", \"recorder\": [\"tag:rec\"]")).ssh(5) ==
        Lines{"[accept] alice@x.org,bob@x.org: u:u rec=100.64.0.7:80"});
  // A recorder that must be there and isn't.
  CHECK(desk_of(rule("\"group:dev\"", "\"tag:db\"", "\"u\"",
                     ", \"recorder\": [\"tag:gone\"], \"enforceRecorder\": true"))
            .ssh(5) == Lines{"[reject] alice@x.org,bob@x.org: u:u"});
  CHECK(refusal("{\"ssh\": [" + rule("", "", "", ", \"recorder\": [\"a@x\"]") + "]}") ==
        "1:78 recorders are named by a tag");
}

TEST_CASE("policy: without the section nothing is said about SSH; with an empty one nobody gets in") {
  Desk silent("{}");
  silent.node(1, "alice@x.org");
  CHECK_FALSE(silent.rules().ssh_policy(silent.at(1), {}));
  CHECK(desk_of("").ssh(5).empty());
}

// SPDX-License-Identifier: BSD-3-Clause
// The sections tests and sshTests.
#include "policy_desk.h"

using namespace ts2021;
using namespace ts2021::test;

namespace {

std::string with_tests(std::string_view tests) {
  return "{\"groups\": {\"group:dev\": [\"alice@x\", \"bob@x\"], \"group:half\": [\"alice@x\", "
         "\"carl@x\"]},\n"
         "\"hosts\": {\"db\": \"10.1.0.5\", \"lan\": \"10.1.0.0/16\"},\n"
         "\"tagOwners\": {\"tag:web\": [], \"tag:ci\": []},\n"
         "\"acls\": [\n"
         " {\"action\": \"accept\", \"src\": [\"group:dev\"], \"dst\": [\"tag:web:80,443\", "
         "\"10.1.0.0/17:5432\"]},\n"
         " {\"action\": \"accept\", \"src\": [\"autogroup:member\"], \"dst\": [\"autogroup:self:*\"]},\n"
         " {\"action\": \"accept\", \"src\": [\"tag:ci\", \"10.1.0.5\"], \"proto\": \"udp\", \"dst\": "
         "[\"carl@x:53\"]},\n"
         " {\"action\": \"accept\", \"src\": [\"carl@x\"], \"dst\": [\"autogroup:internet:443\"]}],\n"
         "\"grants\": [{\"src\": [\"autogroup:tagged\"], \"dst\": [\"tag:web\"], \"ip\": [\"tcp:22\", "
         "\"icmp:*\"]}],\n"
         "\"ssh\": [\n"
         " {\"action\": \"check\", \"src\": [\"group:dev\"], \"dst\": [\"tag:web\"], \"users\": "
         "[\"root\"]},\n"
         " {\"action\": \"accept\", \"src\": [\"group:dev\"], \"dst\": [\"tag:web\"], \"users\": "
         "[\"autogroup:nonroot\", \"localpart:*@x\"]},\n"
         " {\"action\": \"accept\", \"src\": [\"autogroup:member\"], \"dst\": [\"autogroup:self\"], "
         "\"users\": [\"root\"]}],\n" +
         std::string(tests) + "}";
}

// Of the first test of the section, without its place.
std::string outcome(std::string_view test, std::string_view section = "tests") {
  const std::string error =
      refusal(with_tests("\"" + std::string(section) + "\": [{" + std::string(test) + "}]"));
  return error.empty() ? "holds" : error.substr(error.find(' ') + 1);
}

}  // namespace

TEST_CASE("policy: tests hold or fail") {
  struct Row {
    std::string_view test, outcome;
  };
  const Row rows[] = {
      {"\"src\": \"alice@x\", \"accept\": [\"tag:web:80\", \"tag:web:443\"], \"deny\": [\"tag:web:81\"]",
       "holds"},
      {"\"src\": \"alice@x\", \"accept\": [\"tag:web:81\"]",
       "test failed: \"alice@x\" does not reach \"tag:web:81\""},
      {"\"src\": \"alice@x\", \"deny\": [\"tag:web:80\"]", "test failed: \"alice@x\" reaches \"tag:web:80\""},
      {"\"src\": \"carl@x\", \"deny\": [\"tag:web:80\", \"alice@x:1\"], \"accept\": [\"carl@x:1\"]", "holds"},
      {"\"src\": \"group:dev\", \"accept\": [\"tag:web:80\"]", "holds"},
      {"\"src\": \"group:half\", \"accept\": [\"tag:web:80\"]",
       "test failed: \"group:half\" does not reach \"tag:web:80\""},
      {"\"src\": \"group:half\", \"deny\": [\"tag:web:80\"]",
       "test failed: \"group:half\" reaches \"tag:web:80\""},
      {"\"src\": \"alice@x\", \"accept\": [\"db:5432\", \"10.1.127.255:5432\"], \"deny\": "
       "[\"10.1.128.0:5432\"]",
       "holds"},
      // Of a network all must be let in, and none of it shut out.
      {"\"src\": \"alice@x\", \"accept\": [\"lan:5432\"]",
       "test failed: \"alice@x\" does not reach \"lan:5432\""},
      {"\"src\": \"alice@x\", \"deny\": [\"lan:5432\"]", "test failed: \"alice@x\" reaches \"lan:5432\""},
      {"\"src\": \"alice@x\", \"accept\": [\"autogroup:self:22\"], \"deny\": [\"bob@x:22\"]", "holds"},
      // Two members that nobody names are not the same one.
      {"\"src\": \"autogroup:member\", \"deny\": [\"autogroup:member:22\"]", "holds"},
      {"\"src\": \"tag:ci\", \"accept\": [\"carl@x:53\"]", "holds"},  // TCP or UDP
      {"\"src\": \"tag:ci\", \"proto\": \"tcp\", \"accept\": [\"carl@x:53\"]",
       "test failed: \"tag:ci\" does not reach \"carl@x:53\""},
      {"\"src\": \"tag:ci\", \"proto\": \"tcp\", \"deny\": [\"carl@x:53\"]", "holds"},
      {"\"src\": \"db\", \"proto\": \"udp\", \"accept\": [\"carl@x:53\"]", "holds"},
      {"\"src\": \"10.1.0.6\", \"proto\": \"udp\", \"deny\": [\"carl@x:53\"]", "holds"},
      {"\"src\": \"tag:ci\", \"accept\": [\"tag:web:22\"], \"deny\": [\"tag:web:80\", \"tag:ci:22\"]",
       "holds"},
      {"\"src\": \"tag:ci\", \"proto\": \"icmp\", \"accept\": [\"tag:web:*\"]", "holds"},
      {"\"src\": \"carl@x\", \"accept\": [\"8.8.8.8:443\", \"autogroup:internet:443\"], \"deny\": "
       "[\"10.9.9.9:443\"]",
       "holds"},
      {"\"src\": \"alice@x\", \"deny\": [\"8.8.8.8:443\"]", "holds"},
      {"\"src\": \"alice@x\", \"accept\": [\"tag:web:*\"]",
       "the destination of a test is host:port with one port, found \"tag:web:*\""},
      {"\"src\": \"*\", \"accept\": [\"tag:web:1\"]", "\"*\" can't be the source of a test"},
      {"\"accept\": [\"tag:web:1\"]", "a test needs src"},
      {"\"src\": \"alice@x\", \"accepts\": []", "unknown member \"accepts\""},
  };
  for (const Row& row : rows) {
    INFO(row.test);
    CHECK(outcome(row.test) == row.outcome);
  }
}

TEST_CASE("policy: a failed test is told with its place") {
  CHECK(refusal(with_tests("\"tests\": [\n  {\"src\": \"alice@x\",\n   \"accept\": [\"tag:web:80\",\n"
                           "     \"tag:web:22\"]}]")) ==
        "17:6 test failed: \"alice@x\" does not reach \"tag:web:22\"");
}

TEST_CASE("policy: tests of SSH") {
  struct Row {
    std::string_view test, outcome;
  };
  const Row rows[] = {
      {"\"src\": \"alice@x\", \"dst\": [\"tag:web\"], \"check\": [\"root\"], \"accept\": [\"ubuntu\", "
       "\"alice\"]",
       "holds"},
      {"\"src\": \"alice@x\", \"dst\": [\"tag:web\"], \"accept\": [\"root\"]",
       "test failed: \"alice@x\" as \"root\": expected accept, found check"},
      {"\"src\": \"carl@x\", \"dst\": [\"tag:web\"], \"deny\": [\"root\", \"ubuntu\"]", "holds"},
      {"\"src\": \"carl@x\", \"dst\": [\"tag:web\"], \"check\": [\"root\"]",
       "test failed: \"carl@x\" as \"root\": expected check, found deny"},
      {"\"src\": \"carl@x\", \"dst\": [\"autogroup:self\", \"carl@x\"], \"accept\": [\"root\"], \"deny\": "
       "[\"u\"]",
       "holds"},
      {"\"src\": \"carl@x\", \"dst\": [\"alice@x\"], \"deny\": [\"root\"]", "holds"},
      {"\"src\": \"alice@x\", \"dst\": [\"tag:web\"], \"deny\": [\"ubuntu\"]",
       "test failed: \"alice@x\" as \"ubuntu\": expected deny, found accept"},
  };
  for (const Row& row : rows) {
    INFO(row.test);
    CHECK(outcome(row.test, "sshTests") == row.outcome);
  }
}

// SPDX-License-Identifier: BSD-3-Clause
// What is refused, where, and why.
#include <ctime>

#include "policy_desk.h"

using namespace ts2021;
using namespace ts2021::test;

TEST_CASE("policy: an error has line, column and reason") {
  struct Row {
    std::string_view file, error;
  };
  const Row rows[] = {
      {"", "1:1 neither JSON nor a comment nor a trailing comma, or nested too deep"},
      {"[]", "1:1 expected an object, found a list"},
      {"{\n  \"acl\": []\n}", "2:3 unknown member \"acl\""},
      {"{\n  // rules\n  \"acls\": {},\n}", "3:11 expected a list, found an object"},
      {"{\"acls\": [], \"ACLs\": []}", "1:14 member \"ACLs\" is there twice"},
      {"{\"groups\": {\"group:a\": [\"a@x\"],\n \"group:a\": []}}", "2:2 \"group:a\" is there twice"},
      {"{\"acls\": [{\"action\": \"deny\", \"src\": [], \"dst\": []}]}",
       "1:22 the only action is accept, found \"deny\""},
      {"{\"acls\": [{\"src\": [], \"dst\": []}]}", "1:11 a rule needs an action"},
      {"{\"acls\": [{\"action\": \"accept\", \"dst\": []}]}", "1:11 a rule needs src"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": []}]}", "1:11 a rule needs dst"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [], \"users\": [], \"dst\": []}]}",
       "1:43 src and users mean the same"},
      {"{\"acls\": [\n  {\"action\": \"accept\", \"src\": [\"group:x\"], \"dst\": [\"*:*\"]}]}",
       "2:32 undefined group \"group:x\""},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"tag:x\"], \"dst\": []}]}",
       "1:40 undefined tag \"tag:x\": every tag needs an entry in tagOwners"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"db\"], \"dst\": []}]}",
       "1:40 undefined host \"db\""},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"ipset:x\"], \"dst\": []}]}",
       "1:40 undefined IP set \"ipset:x\""},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [7], \"dst\": []}]}",
       "1:40 expected text, found a number"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"autogroup:self\"], \"dst\": []}]}",
       "1:40 \"autogroup:self\" can't be a source"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"autogroup:x\"], \"dst\": []}]}",
       "1:40 unknown autogroup \"autogroup:x\""},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*\"]}]}",
       "1:54 a destination is host:ports, found \"*\""},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:70000\"]}]}",
       "1:54 bad port \"70000\"; a destination is host:ports"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:90-80\"]}]}",
       "1:54 bad port \"90-80\"; a destination is host:ports"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:80,\"]}]}",
       "1:54 bad port \"80,\"; a destination is host:ports"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:\"]}]}",
       "1:54 bad port \"\"; a destination is host:ports"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:22\"], \"proto\": \"icmp\"}]}",
       "1:54 only TCP, UDP and SCTP have ports; write :*"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [], \"proto\": \"256\"}]}",
       "1:66 unknown protocol \"256\""},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"autogroup:danger-all:*\"]}]}",
       "1:54 \"autogroup:danger-all\" can't be a destination"},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"10.0.0.1\"], \"dst\": [\"autogroup:self:*\"]}]}",
       "1:11 autogroup:self goes with users, groups and autogroups of users only, not with \"10.0.0.1\""},
      {"{\"acls\": [{\"action\": \"accept\", \"src\": [], \"dst\": [], \"srcPosture\": []}]}",
       "1:54 \"srcPosture\" is not supported: this server knows no device posture, and a rule without its "
       "condition would allow too much"},
      {"{\"grants\": [{\"src\": [\"*\"], \"dst\": [\"*\"]}]}", "1:13 a grant needs ip or app"},
      {"{\"grants\": [{\"src\": [\"*\"], \"dst\": [\"*\"], \"ip\": [\"tcp\"]}]}",
       "1:49 bad port in \"tcp\"; write ports or protocol:ports"},
      {"{\"grants\": [{\"src\": [\"*\"], \"dst\": [\"*\"], \"ip\": [\"x:1\"]}]}",
       "1:49 unknown protocol \"x\""},
      {"{\"grants\": [{\"src\": [\"*\"], \"dst\": [\"*\"], \"ip\": [\"icmp:1\"]}]}",
       "1:49 only TCP, UDP and SCTP have ports; write :*"},
      {"{\"grants\": [{\"src\": [\"*\"], \"dst\": [\"*\"], \"ip\": [\"*\"], \"via\": [\"tag:x\"]}]}",
       "1:55 \"via\" is not supported: routes are chosen by this server, not by rules"},
      {"{\"grants\": [{\"src\": [\"*\"], \"dst\": [\"autogroup:internet\"], \"app\": {\"x.y/z\": []}}]}",
       "1:13 app has no meaning for autogroup:internet"},
      {"{\"grants\": [{\"src\": [\"*\"], \"dst\": [\"*\"], \"app\": {\"a b\": []}}]}",
       "1:50 not the name of a capability: \"a b\""},
      {"{\"groups\": {\"admins\": []}}", "1:13 not the name of a group: \"admins\""},
      {"{\"groups\": {\"group:a\": [\"group:b\"], \"group:b\": [\"group:a\"]}}",
       "1:25 a group can't contain \"group:b\""},
      {"{\"groups\": {\"group:a\": [\"alice\"]}}", "1:25 not a user: \"alice\"; users have an @"},
      {"{\"hosts\": {\"a\": \"b\"}}", "1:17 not an address or network: \"b\""},
      {"{\"hosts\": {\"10.0.0.1\": \"10.0.0.2\"}}", "1:12 not a name for a host: \"10.0.0.1\""},
      {"{\"hosts\": {\"*\": \"10.0.0.2\"}}", "1:12 not a name for a host: \"*\""},
      {"{\"hosts\": {\"a@b\": \"10.0.0.2\"}}", "1:12 not a name for a host: \"a@b\""},
      {"{\"ipsets\": {\"ipset:a\": [\"ipset:a\"]}}",
       "1:25 undefined host \"ipset:a\"; IP sets are defined before they are used"},
      {"{\"ipsets\": {\"ipset:a\": [\"sub 10.0.0.0/8\"]}}",
       "1:25 expected add or remove in \"sub 10.0.0.0/8\""},
      {"{\"tagOwners\": {\"tag:1\": []}}", "1:16 not the name of a tag: \"tag:1\""},
      {"{\"tagOwners\": {\"tag:a_b\": []}}", "1:16 not the name of a tag: \"tag:a_b\""},
      {"{\"tagOwners\": {\"tag:a\": [\"tag:b\"]}}",
       "1:26 undefined tag \"tag:b\": every tag needs an entry in tagOwners"},
      {"{\"tagOwners\": {\"tag:a\": [\"10.0.0.1\"]}}", "1:26 \"10.0.0.1\" can't be an owner of tags"},
      {"{\"autoApprovers\": {\"routes\": {\"10.0.0.0\": []}}}", "1:31 not a network: \"10.0.0.0\""},
      {"{\"autoApprovers\": {\"exit\": []}}", "1:20 unknown member \"exit\""},
      {"{\"nodeAttrs\": [{\"attr\": [\"funnel\"]}]}", "1:16 attributes need a target"},
      {"{\"nodeAttrs\": [{\"target\": [\"*\"], \"ipPool\": [\"100.80.0.0/16\"]}]}",
       "1:34 \"ipPool\" is not supported: addresses are given out from one pool"},
      {"{\"derpMap\": {}}",
       "1:2 \"derpMap\" is not supported: the relays are part of the server's configuration"},
      {"{\"ssh\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [], \"users\": []}]}",
       "1:39 \"*\" can't be a source of SSH sessions"},
      {"{\"ssh\": [{\"action\": \"accept\", \"src\": [], \"dst\": [\"10.0.0.1\"], \"users\": []}]}",
       "1:50 \"10.0.0.1\" can't be a destination of SSH sessions"},
      {"{\"ssh\": [{\"action\": \"check\", \"src\": [], \"dst\": [], \"users\": [], \"checkPeriod\": "
       "\"10s\"}]}",
       "1:80 expected always or a time from 1m to 168h, found \"10s\""},
      {"{\"ssh\": [{\"action\": \"accept\", \"src\": [], \"dst\": [], \"users\": [], \"checkPeriod\": "
       "\"1h\"}]}",
       "1:10 checkPeriod goes with the action check only"},
      {"{\"ssh\": [{\"action\": \"accept\", \"src\": [], \"dst\": [], \"users\": [\"*\"]}]}",
       "1:63 not a user of a host: \"*\""},
      {"{\"ssh\": [{\"action\": \"accept\", \"src\": [\"a@x\"], \"dst\": [\"b@x\"], \"users\": [\"u\"]}]}",
       "1:10 only \"b@x\" may open sessions on nodes of \"b@x\""},
      {"{\"tagOwners\": {\"tag:t\": []}, \"ssh\": [{\"action\": \"accept\", \"src\": [\"tag:t\"], "
       "\"dst\": [\"autogroup:self\"], \"users\": [\"u\"]}]}",
       "1:38 nodes with tags can't open sessions on nodes of users: \"autogroup:self\""},
      {"{\"acls\": [\n\"abc]}", "2:1 this text never ends"},
      {"{\"acls\": [\n /* ]}", "2:2 this comment never ends"},
      {"{\"acls\": [\n 1 2]}", "2:4 neither JSON nor a comment nor a trailing comma, or nested too deep"},
      {"{\n\"\xff\": 1}", "2:1 neither JSON nor a comment nor a trailing comma, or nested too deep"},
  };
  for (const Row& row : rows) {
    INFO(row.file);
    CHECK(refusal(row.file) == row.error);
  }
}

TEST_CASE("policy: a quote of the file is short and printable") {
  const std::string name = "x\\u0007" + std::string(200, 'y');
  const std::string error = refusal("{\"" + name + "\": 1}");
  CHECK(error.size() < 100);
  CHECK(error.find("\"x?yy") != std::string::npos);
}

TEST_CASE("policy: names may have any case, null is absent") {
  CHECK(
      refusal(
          "{\"ACLs\": [{\"Action\": \"accept\", \"Users\": [\"*\"], \"Ports\": [\"*:*\"]}], \"Groups\": {}, "
          "\"Hosts\": {}, \"TagOwners\": {}, \"tests\": null, \"ssh\": null}")
          .empty());
  CHECK(refusal("{}").empty());
  CHECK(refusal("{\"randomizeClientPort\": 1}") == "1:25 expected true or false, found a number");
}

TEST_CASE("policy: hostile files are answered soon") {
  const auto repeat = [](std::string_view head, std::string_view piece, std::string_view tail) {
    std::string out(head);
    while (out.size() + piece.size() + tail.size() <= PolicyFile::max_size) out += piece;
    return out + std::string(tail);
  };
  const std::clock_t start = std::clock();
  CHECK(refusal(std::string(PolicyFile::max_size + 1, ' ')) == "1:1 the file has more than 1 MiB");
  for (const std::string_view piece :
       {"[", "{\"a\":", "[[],", "/**/", "//\n", "\"", ",", "{\"", "\\", "\xff", "[1,"})
    CHECK_FALSE(refusal(repeat("", piece, "")).empty());

  // Many of everything.
  std::string groups = "{\"groups\": {";
  for (int i = 0; i < 10'000; ++i)
    groups += "\"group:g" + std::to_string(i) + "\": [\"u" + std::to_string(i) + "@x\"],";
  std::string rules = groups + "}, \"acls\": [";
  for (int i = 0; i < 5'000; ++i)
    rules += "{\"action\":\"accept\",\"src\":[\"group:g" + std::to_string(i) + "\"],\"dst\":[\"group:g" +
             std::to_string(i + 1) + ":*\"]},";
  CHECK(refusal(groups + "}}").empty());
  CHECK(refusal(rules + "]}").empty());
  CHECK(refusal(repeat("{\"acls\":[{\"action\":\"accept\",\"src\":[", "\"*\",", "],\"dst\":[\"*:*\"]}]}"))
            .empty());
  CHECK(refusal(repeat("{\"acls\":[", "{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"*:*\"]},", "]}"))
            .empty());

  // What multiplies is cut off.
  std::string ports, hosts;
  for (int i = 0; i < 4'000; ++i) ports += "\"" + std::to_string(i) + "\",";
  for (int i = 0; i < 4'000; ++i)
    hosts += "\"10." + std::to_string(i / 200) + "." + std::to_string(i % 200) + ".0/24\",";
  const std::string product =
      "{\"grants\":[{\"src\":[\"*\"],\"dst\":[" + hosts + "],\"ip\":[" + ports + "]}]}";
  CHECK(refusal(product).find("the rules add up to more than the file may hold") != std::string::npos);
  std::string sets = "{\"ipsets\":{\"ipset:0\":[";
  for (int i = 0; i < 20'000; ++i)
    sets += "\"10." + std::to_string(i / 100) + "." + std::to_string(i % 100 * 2) + ".0/24\",";
  sets += "]";
  for (int i = 1; i < 200; ++i) sets += ",\"ipset:" + std::to_string(i) + "\":[\"ipset:0\"]";
  CHECK(refusal(sets + "}}").find("more than the file may add up to") != std::string::npos);
  std::string tests = "{\"acls\":[";
  for (int i = 0; i < 8'000; ++i)
    tests += "{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"10.0.0.1:1\"]},";
  tests += "],\"tests\":[";
  for (int i = 0; i < 4'000; ++i) tests += "{\"src\":\"a@x\",\"deny\":[\"10.0.0.1:2\"]},";
  CHECK(refusal(tests + "]}").find("the tests take too long") != std::string::npos);
  CHECK((std::clock() - start) / CLOCKS_PER_SEC < 60);  // of the processor, also under sanitizers
}

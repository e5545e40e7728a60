// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/capture/comparison.h"

#include "support/catch.h"

using namespace ts2021;

namespace {

MessageKind answer(std::string_view body, int status = 200, std::string_view path = "/x") {
  return kind_of_answer(path, status, as_bytes(body));
}

Comparison compared(MessageKind recorded, MessageKind seen) {
  Comparison made;
  made.method = "GET";
  made.path = "/x";
  made.recorded = std::move(recorded);
  made.seen = std::move(seen);
  made.compare();
  return made;
}

}  // namespace

TEST_CASE("the kind of a body") {
  REQUIRE(answer("").body == "none");
  REQUIRE(answer("hello").body == "text");
  REQUIRE(answer("\xff").body == "bytes");
  REQUIRE(answer("[1]").body == "list");
  REQUIRE(answer(R"({"b":1,"a":2})").body == "object");
  REQUIRE(answer(R"({"b":1,"a":2})").members == std::vector<std::string>{"a", "b"});
  REQUIRE(kind_of_map(200, as_bytes("{}")).body == "map");
  REQUIRE(kind_of_map(200, {}).body == "none");
}

TEST_CASE("how a registration ended") {
  const auto outcome = [](std::string_view body) { return answer(body, 200, "/machine/register").outcome; };
  REQUIRE(outcome(R"({"MachineAuthorized":true})") == "authorized");
  REQUIRE(outcome(R"({})") == "waits");
  REQUIRE(outcome(R"({"AuthURL":"http://x/a/1"})") == "log in");
  REQUIRE(outcome(R"({"Error":"no"})") == "refused");
  REQUIRE(outcome("x") == "unreadable");
}

TEST_CASE("differences that a client would notice, and notes of the others") {
  REQUIRE(compared(answer(R"({"a":1})"), answer(R"({"a":2})")).differences.empty());
  REQUIRE(compared(answer(R"({"a":1})"), answer(R"({"a":2})")).notes.empty());
  const Comparison members = compared(answer(R"({"a":1,"c":1})"), answer(R"({"a":2,"b":1})"));
  REQUIRE(members.differences.empty());
  REQUIRE(members.notes == std::vector<std::string>{"only recorded: c", "only now: b"});
  REQUIRE(compared(answer("x"), answer("x", 404)).differences ==
          std::vector<std::string>{"status 404 instead of status 200"});
  REQUIRE(compared(answer("x"), MessageKind{}).differences ==
          std::vector<std::string>{"no answer instead of status 200"});
  REQUIRE(compared(answer("{}"), answer("x")).differences ==
          std::vector<std::string>{"body: text instead of object"});
  const auto registered = [](std::string_view body) { return answer(body, 200, "/machine/register"); };
  REQUIRE(
      compared(registered(R"({"MachineAuthorized":true})"), registered(R"({"Error":"no"})")).differences ==
      std::vector<std::string>{"outcome: refused instead of authorized"});
  // What was never answered says nothing of answers.
  REQUIRE(compared(MessageKind{}, answer("x")).differences.empty());
}

TEST_CASE("both forms of the report name the difference, and no byte of a peer gets to the terminal raw") {
  Comparison made = compared(answer("x"), answer("x", 500));
  made.number = 3;
  made.path = "/\x1b[31m";
  REQUIRE(text(made) == "DIFFERS  GET /?[31m: 500\n    status 500 instead of status 200\n");
  REQUIRE(json_text(made) == R"({"request":3,"session":0,"method":"GET","path":"/\u001b[31m","same":false,)"
                             R"("recorded":{"status":200,"body":"text"},"seen":{"status":500,"body":"text"},)"
                             R"("differences":["status 500 instead of status 200"]})"
                             "\n");
}

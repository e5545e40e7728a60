// SPDX-License-Identifier: BSD-3-Clause
// Requests from control to node.
#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using test::AdminSite;
using test::contains;
using test::SiteNode;

namespace {

struct One {
  AdminSite site;
  SiteNode a{site, 1};
  One() {
    a.enroll();
    a.start_poll();
    site.advance(std::chrono::seconds{1});
    a.read_all();
  }
};
constexpr const char* echo = R"({"method":"POST","path":"/echo","body":"aGk="})";
const std::string hi = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\nhi";

}  // namespace

TEST_CASE("A test waits for the node's answer") {
  One one;
  const auto call = one.site.begin("POST", one.a.path("/c2n"), echo);
  CHECK_FALSE(one.site.answer(call));
  const auto frame = one.a.next();
  CHECK(contains(frame, R"({"PingRequest":{"URL":"https://unused/machine/c2n/)"));
  CHECK(contains(frame, R"("URLIsNoise":true)"));
  CHECK(contains(frame, R"("Types":"c2n")"));
  const auto& told = one.a.reply(frame, hi);
  REQUIRE(told.answer);
  CHECK(std::holds_alternative<answer::Done>(*told.answer));
  const auto answer = one.site.answer(call);
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body ==
        R"({"status":200,"headers":{"Connection":["close"],"Content-Type":["text/plain"]},"body":"aGk="})");
  CHECK(contains(one.site.call("GET", "/admin/events?type=c2n-result").body,
                 R"("nodeKey":")" + one.a.key() + R"(","id":"c1","status":200})"));
  // Once only.
  CHECK(one.a.reply(frame, hi).refused);
}

TEST_CASE("Nobody else's machine answers for the node") {
  One one;
  SiteNode other(one.site, 2);
  other.enroll();
  one.site.advance(std::chrono::seconds{1});
  one.a.read_all();
  const auto call = one.site.begin("POST", one.a.path("/c2n"), echo);
  CHECK(other.reply(one.a.next(), hi).refused);
  CHECK_FALSE(one.site.answer(call));
}

TEST_CASE("An answer is fetched later, and again") {
  One one;
  const std::string later = R"({"path":"/echo","wait":false,"timeout":"5s"})";
  const auto begun = one.site.call("POST", one.a.path("/c2n"), later);
  CHECK(begun.status == 201);
  CHECK(begun.body == R"({"id":"c1"})");
  CHECK(one.site.call("GET", "/admin/c2n/c1?timeout=0s").status == 204);
  const auto waiting = one.site.begin("GET", "/admin/c2n/c1?timeout=30s");
  one.a.reply(one.a.next(), hi);
  CHECK(one.site.answer(waiting)->status == 200);
  CHECK(one.site.call("GET", "/admin/c2n/c1").status == 200);
  one.site.advance(std::chrono::minutes{10});
  CHECK(one.site.call("GET", "/admin/c2n/c1").status == 404);
  for (const char* wrong : {"c9", "9", "x"})
    CHECK(one.site.call("GET", "/admin/c2n/" + std::string(wrong)).status == 404);
}

TEST_CASE("A node that does not answer in time has not answered") {
  One one;
  const auto call = one.site.begin("POST", one.a.path("/c2n"), R"({"path":"/x","timeout":"5s"})");
  one.site.advance(std::chrono::milliseconds{4'999});
  CHECK_FALSE(one.site.answer(call));
  one.site.advance(std::chrono::milliseconds{1});
  CHECK(one.site.answer(call)->status == 504);
  CHECK(one.site.call("GET", "/admin/c2n/c1").status == 504);
  CHECK(one.a.reply(one.a.next(), hi).refused);
}

TEST_CASE("What is no HTTP answer is a bad one, for the node too") {
  One one;
  const auto call = one.site.begin("POST", one.a.path("/c2n"), echo);
  const auto& told = one.a.reply(one.a.next(), "hello");
  REQUIRE(told.refused);
  CHECK(told.refused->status == 400);
  CHECK(one.site.answer(call)->status == 502);
}

TEST_CASE("Without a poll there is nobody to call") {
  AdminSite site;
  SiteNode a(site, 1), stranger(site, 9);
  a.enroll();
  CHECK(site.call("POST", a.path("/c2n"), echo).status == 409);
  CHECK(site.call("GET", a.path("/c2n/echo")).status == 502);
  CHECK(site.call("POST", stranger.path("/c2n"), echo).status == 404);
  CHECK(site.call("POST", a.path("/c2n"), R"({"Path":"/x"})").status == 400);
}

TEST_CASE("A request passes through with its path, and the answer as it is") {
  One one;
  for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
    const auto call = one.site.begin(method, one.a.path("/c2n/debug/health?x=1"), "");
    CHECK_FALSE(one.site.answer(call));
    one.a.reply(one.a.next(),
                "HTTP/1.1 404 Not Found\r\nX-A: b\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nno");
    const auto answer = one.site.answer(call);
    REQUIRE(answer);
    CHECK(answer->status == 404);
    CHECK(answer->body == "no");
    CHECK(answer->content_type == "text/x");
    REQUIRE(answer->headers.size() == 3);
    // In a browser it is no page of the admin API.
    CHECK(answer->headers[0].name == "Content-Security-Policy");
    CHECK(answer->headers[0].value == "sandbox");
    CHECK(answer->headers[1].name == "X-Content-Type-Options");
    CHECK(answer->headers[2].name == "X-A");
  }
}

TEST_CASE("Calls reach a node that gets no automatic frames") {
  One one;
  one.site.call("POST", one.a.path("/raw-map"), "{}");
  one.a.read_all();
  const auto call = one.site.begin("POST", one.a.path("/c2n"), echo);
  one.a.reply(one.a.next(), hi);
  CHECK(one.site.answer(call)->status == 200);
}

TEST_CASE("What answers a test's ping is an event") {
  One one;
  one.site.call("POST", one.a.path("/ping"),
                R"({"URL":"https://unused/machine/ping/tok?x","URLIsNoise":true,"Types":"TSMP"})");
  const auto id = one.site.ask(one.a.session, one.a.machine, question::Deliver{"tok", R"({"Type":"TSMP"})"});
  CHECK(one.site.mail(one.a.session, id).answer);
  one.site.ask(one.a.session, one.a.machine, question::Deliver{"tok", ""});
  const auto events = one.site.call("GET", "/admin/events?type=ping-result").body;
  CHECK(contains(events, R"("url":"https://unused/machine/ping/tok?x","body":{"Type":"TSMP"}})"));
  CHECK(contains(events, R"("body":null})"));
}

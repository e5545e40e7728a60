// SPDX-License-Identifier: BSD-3-Clause
// Map requests that belong to a test.
#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using test::AdminSite;
using test::contains;
using test::SiteNode;

namespace {

// Somebody whose map request belongs to the test, though the coordinator knows nobody.
struct Alt {
  AdminSite site;
  SiteNode a{site, 1};
  Alt() {
    REQUIRE(site.call("PUT", "/admin/alt-map", R"({"enabled":true})").status == 204);
    a.start_poll();
  }
};

}  // namespace

TEST_CASE("New map requests belong to the test while it wants them") {
  Alt alt;
  CHECK(alt.site.call("GET", "/admin/alt-map").body == R"({"enabled":true})");
  const auto& mail = alt.site.mail(alt.a.session, alt.a.poll);
  CHECK(mail.heads == 1);
  CHECK_FALSE(mail.refused);
  const auto listed = alt.site.call("GET", "/admin/alt-map/streams").body;
  CHECK(contains(listed, R"({"streams":[{"id":1,"nodeKey":")" + alt.a.key() + R"(","request":{"Version":)"));
  CHECK(contains(listed, R"("open":true}]})"));
  CHECK(alt.site.call("GET", "/admin/stats").body == R"({"inServeMap":1,"unhandled":0})");
  CHECK(alt.site.call("PUT", "/admin/alt-map", R"({"enabled":false})").status == 204);
  alt.a.start_poll();
  CHECK(alt.site.mail(alt.a.session, alt.a.poll).refused);  // the coordinator knows no such node
  // It heard nothing of the first one.
  CHECK(std::count_if(alt.site.inputs.begin(), alt.site.inputs.end(), [](const auto& input) {
          return std::holds_alternative<coord_input::Map>(input);
        }) == 1);
}

TEST_CASE("A message is answered when it has left, and not before") {
  Alt alt;
  CHECK(alt.site.call("POST", "/admin/alt-map/streams/1/messages", R"({"a": 1})").status == 204);
  CHECK(alt.a.next() == R"({"a": 1})");
  alt.site.slow.insert(alt.a.session);
  const auto first = alt.site.begin("POST", "/admin/alt-map/streams/1/messages", R"({"a":2})");
  const auto second = alt.site.begin("POST", "/admin/alt-map/streams/1/messages", R"({"a":3})");
  CHECK(alt.a.next() == R"({"a":2})");
  CHECK(alt.a.waiting() == 0);
  CHECK_FALSE(alt.site.answer(first));
  alt.site.take(alt.a.session, alt.a.poll);
  alt.site.pump();
  CHECK(alt.site.answer(first)->status == 204);
  CHECK_FALSE(alt.site.answer(second));
  CHECK(alt.a.next() == R"({"a":3})");
  alt.site.cancel(alt.a.session, alt.a.poll);
  CHECK(alt.site.answer(second)->status == 410);
  CHECK(alt.site.call("POST", "/admin/alt-map/streams/1/messages", "{}").status == 410);
}

TEST_CASE("A message whose sender has gone is not sent") {
  Alt alt;
  alt.site.slow.insert(alt.a.session);
  alt.site.begin("POST", "/admin/alt-map/streams/1/messages", R"({"a":1})");
  const auto second = alt.site.begin("POST", "/admin/alt-map/streams/1/messages", R"({"a":2})");
  alt.site.begin("POST", "/admin/alt-map/streams/1/messages", R"({"a":3})");
  alt.site.desk->cancel(second);
  alt.site.slow.clear();
  alt.site.take(alt.a.session, alt.a.poll);
  alt.site.pump();
  CHECK(alt.a.next() == R"({"a":1})");
  CHECK(alt.a.next() == R"({"a":3})");
}

TEST_CASE("A test ends its stream, or sees that the client has") {
  Alt alt;
  const auto waiting = alt.site.begin("GET", "/admin/alt-map/streams/1?wait=end&timeout=30s");
  CHECK_FALSE(alt.site.answer(waiting));
  alt.site.cancel(alt.a.session, alt.a.poll);
  CHECK(alt.site.answer(waiting)->body == R"({"id":1,"open":false})");
  alt.a.start_poll();
  const auto late = alt.site.begin("GET", "/admin/alt-map/streams/2?wait=end&timeout=1s");
  alt.site.advance(std::chrono::seconds{1});
  CHECK(alt.site.answer(late)->body == R"({"id":2,"open":true})");
  CHECK(alt.site.call("GET", "/admin/alt-map/streams/2").body == R"({"id":2,"open":true})");
  CHECK(alt.site.call("DELETE", "/admin/alt-map/streams/2").status == 204);
  CHECK(alt.site.mail(alt.a.session, alt.a.poll).ended);
  CHECK(alt.site.call("DELETE", "/admin/alt-map/streams/2").status == 410);
  CHECK(alt.site.call("GET", "/admin/stats").body == R"({"inServeMap":0,"unhandled":0})");
  // No Cancelled of what the coordinator never saw.
  for (const auto& input : alt.site.inputs)
    CHECK_FALSE(std::holds_alternative<coord_input::Cancelled>(input));
}

TEST_CASE("New streams are waited for, and old ones forgotten") {
  Alt alt;
  const auto next = alt.site.begin("GET", "/admin/alt-map/streams?after=1");
  CHECK_FALSE(alt.site.answer(next));
  alt.a.start_poll();
  CHECK(contains(alt.site.answer(next)->body, R"("id":2)"));
  const auto none = alt.site.begin("GET", "/admin/alt-map/streams?after=2&timeout=1s");
  alt.site.advance(std::chrono::seconds{1});
  CHECK(alt.site.answer(none)->body == R"({"streams":[]})");
  alt.site.gone(alt.a.session);
  CHECK(alt.site.call("GET", "/admin/alt-map/streams/1").status == 200);
  alt.site.advance(std::chrono::minutes{10});
  CHECK(alt.site.call("GET", "/admin/alt-map/streams/1").status == 404);
  for (const char* wrong : {"GET /admin/alt-map/streams/9", "DELETE /admin/alt-map/streams/x"}) {
    const std::string_view text = wrong;
    CHECK(alt.site.call(text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1)).status == 404);
  }
}

// SPDX-License-Identifier: BSD-3-Clause
// Frames that tests send, and the first frames that they change.
#include "admin/raw_frames.h"
#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using test::AdminSite;
using test::contains;
using test::SiteNode;

namespace {

constexpr auto soon = std::chrono::seconds{1};

struct Two {
  AdminSite site;
  SiteNode a{site, 1}, b{site, 2};
  explicit Two(AdminSite::Options options = {}) : site(options) {
    for (SiteNode* node : {&a, &b}) {
      node->enroll();
      node->start_poll();
    }
    site.advance(soon);
    a.read_all();
    b.read_all();
  }
  void wake() {
    site.call("PATCH", "/admin/config", "{}");
    site.advance(soon);
  }
};

}  // namespace

TEST_CASE("A raw frame goes out as it is, and automatic ones go no more") {
  Two two;
  const std::string frame = R"({ "PeersRemoved": [], "Unknown": null, "Peers":null })";
  const auto sent = two.site.call("POST", two.a.path("/raw-map"), frame);
  CHECK(sent.status == 200);
  CHECK(sent.body == R"({"enqueued":true})");
  CHECK(two.a.next() == frame);
  two.wake();
  CHECK(two.a.waiting() == 0);
  CHECK(two.b.waiting() == 1);
  // New polls and lite requests get none either.
  two.a.start_poll();
  two.site.advance(soon);
  CHECK(two.a.waiting() == 0);
  CHECK(two.site.mail(two.a.session, two.a.poll).heads == 1);
  auto lite = two.a.map_request();
  lite.stream = false;
  lite.omit_peers = true;
  const auto& mail = two.site.mail(two.a.session, two.site.send(two.a.session, lite));
  CHECK(mail.frames.empty());
  CHECK(mail.ended);
  CHECK_FALSE(mail.refused);
}

TEST_CASE("A node that gets no automatic frames is still kept alive") {
  Two two;
  two.site.call("POST", two.a.path("/raw-map"), "{}");
  CHECK(two.a.next() == "{}");
  two.site.advance(std::chrono::seconds{120});
  CHECK(two.a.waiting() >= 2);
  while (two.a.waiting() > 0) CHECK(contains(two.a.next(), R"("KeepAlive":true)"));
}

TEST_CASE("Raw frames and pings are one queue, in their order, one frame in flight") {
  Two two;
  two.site.slow.insert(two.a.session);
  CHECK(two.site.call("POST", two.a.path("/ping"), R"({"URL":"http://x.test/p1","Extra":1})").body ==
        R"({"enqueued":true})");
  CHECK(two.site.call("POST", two.a.path("/raw-map"), R"({"a":1})").body == R"({"enqueued":true})");
  CHECK(two.site.call("POST", two.a.path("/ping"), R"({"URL":"http://x.test/p2"})").status == 200);
  CHECK(two.a.next() == R"({"PingRequest":{"URL":"http://x.test/p1","Extra":1}})");
  CHECK(two.a.waiting() == 0);
  const auto before = two.site.inputs.size();
  two.site.take(two.a.session, two.a.poll);
  two.site.pump();
  CHECK(two.a.next() == R"({"a":1})");
  two.site.take(two.a.session, two.a.poll);
  two.site.pump();
  CHECK(two.a.next() == R"({"PingRequest":{"URL":"http://x.test/p2"}})");
  // The coordinator did not hear of the desk's own frames.
  for (std::size_t i = before; i < two.site.inputs.size(); ++i)
    CHECK_FALSE(std::holds_alternative<coord_input::Taken>(two.site.inputs[i]));
}

TEST_CASE("What is still queued when a poll ends goes to the next one") {
  Two two;
  two.site.slow.insert(two.a.session);
  two.site.call("POST", two.a.path("/raw-map"), R"({"a":1})");
  two.site.call("POST", two.a.path("/raw-map"), R"({"a":2})");
  CHECK(two.a.next() == R"({"a":1})");
  two.site.cancel(two.a.session, two.a.poll);
  CHECK(two.site.call("POST", two.a.path("/raw-map"), R"({"a":3})").body == R"({"enqueued":false})");
  two.site.slow.clear();
  two.a.start_poll();
  two.site.advance(soon);
  CHECK(two.a.next() == R"({"a":2})");
  CHECK(two.a.waiting() == 0);
}

TEST_CASE("A ping alone lets automatic frames go on, behind the first one of a poll") {
  Two two;
  two.site.call("POST", two.a.path("/ping"), R"({"URL":"http://x.test/p"})");
  CHECK(contains(two.a.next(), "PingRequest"));
  two.wake();
  CHECK(two.a.waiting() == 1);
}

TEST_CASE("Automatic frames come again when a test allows them") {
  Two two;
  two.site.call("POST", two.a.path("/raw-map"), "{}");
  two.a.read_all();
  two.wake();
  CHECK(two.a.waiting() == 0);
  CHECK(two.site.call("DELETE", two.a.path("/raw-map")).status == 204);
  two.site.advance(soon);
  REQUIRE(two.a.waiting() == 1);
  CHECK(contains(two.a.next(), two.b.key()));
}

TEST_CASE("Outside test mode the node comes again for a whole map") {
  Two two({.test_mode = false});
  two.site.call("POST", two.a.path("/raw-map"), "{}");
  CHECK(two.site.call("DELETE", two.a.path("/raw-map")).status == 204);
  CHECK(two.site.mail(two.a.session, two.a.poll).ended);
  two.a.start_poll();
  two.site.advance(soon);
  CHECK(contains(two.a.next(), two.b.key()));
}

TEST_CASE("Frames go out compressed where the request asked for it") {
  AdminSite site;
  SiteNode a(site, 1);
  a.enroll();
  auto request = a.map_request();
  request.compress = "zstd";
  a.poll = site.send(a.session, request);
  site.advance(soon);
  a.read_all();
  site.call("POST", a.path("/raw-map"), R"({"a":1})");
  CHECK(a.next() == R"({"a":1})");  // the site reads zstd
}

TEST_CASE("Frames to nobody, and what is no frame, are refused") {
  AdminSite site;
  SiteNode a(site, 1), stranger(site, 9);
  a.enroll();
  CHECK(site.call("POST", a.path("/raw-map"), "{}").body == R"({"enqueued":false})");
  CHECK(site.call("POST", a.path("/ping"), R"({"URL":"http://x.test"})").body == R"({"enqueued":false})");
  a.start_poll();
  site.advance(soon);
  CHECK(contains(a.next(), "\"Node\""));  // not silenced by what was not queued
  CHECK(site.call("POST", a.path("/raw-map"), "null").status == 400);
  CHECK(site.call("POST", a.path("/raw-map"), "{").status == 400);
  const auto wrong = site.call("POST", a.path("/ping"), R"({"URL":5})");
  CHECK(wrong.status == 400);
  CHECK(contains(wrong.body, "URL"));
  CHECK(site.call("POST", stranger.path("/raw-map"), "{}").status == 404);
  CHECK(site.call("POST", stranger.path("/ping"), "{}").status == 404);
  CHECK(site.call("DELETE", stranger.path("/raw-map")).status == 404);
}

TEST_CASE("The first frame of each map request is patched, no other") {
  AdminSite site;
  SiteNode a(site, 1);
  a.enroll();
  CHECK(site.call("PUT", "/admin/first-map-patch", R"({"Domain":"patched.test","Peers":null})").status ==
        204);
  CHECK(site.call("GET", "/admin/first-map-patch").body == R"({"Domain":"patched.test","Peers":null})");
  a.start_poll();
  site.advance(soon);
  CHECK(contains(a.next(), R"("Domain":"patched.test")"));
  site.call("PATCH", "/admin/config", "{}");
  site.advance(soon);
  const auto second = a.next();
  CHECK(contains(second, "\"Node\""));
  CHECK_FALSE(contains(second, "patched.test"));
  site.call("PUT", "/admin/first-map-patch", "null");
  a.start_poll();
  site.advance(soon);
  CHECK_FALSE(contains(a.next(), "patched.test"));
  CHECK(site.call("PUT", "/admin/first-map-patch", "[]").status == 400);
}

TEST_CASE("The queue of one node is bounded, and does not touch another's") {
  admin::RawFrames frames;
  const auto a = test::make_key<NodePublic>(1), b = test::make_key<NodePublic>(2);
  for (std::size_t i = 0; i < admin::RawFrames::max_queued; ++i) CHECK(frames.add(a, {"{}", "x"}));
  CHECK_FALSE(frames.add(a, {"{}", "x"}));
  CHECK(frames.add(b, {"[]", "x"}));
  (void)frames.take(a);
  CHECK(frames.add(a, {"{}", "x"}));
  CHECK(frames.take(b).json == "[]");
  CHECK_FALSE(frames.waits(b));
}

// SPDX-License-Identifier: BSD-3-Clause
// What each node was sent, and why; the page that shows it.
#include "admin/timeline.h"

#include "admin/frames.h"
#include "admin/page.h"
#include "json/reader.h"
#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using namespace ts2021::admin;
using test::AdminSite;
using test::contains;
using test::SiteNode;

namespace {

constexpr auto soon = std::chrono::seconds{1};

struct Shown {
  std::uint64_t seq = 0, size = 0, unpacked = 0, more = 0;
  std::string node, kind, reasons;  // separated by bars
};
struct Told {
  std::vector<Shown> frames;
  std::uint64_t next = 0, message_seq = 0;
  bool lost = false, has_message = false;
  std::size_t streams = 0;
};

Shown read_frame(const json::Value& object) {
  Shown out;
  json::ObjectCursor cursor(object);
  std::string_view name, text;
  for (json::Value value; cursor.next(name, value);) {
    if (name == "seq") REQUIRE(value.get(out.seq));
    if (name == "size") REQUIRE(value.get(out.size));
    if (name == "unpacked") REQUIRE(value.get(out.unpacked));
    if (name == "more") REQUIRE(value.get(out.more));
    if (name == "nodeKey" && value.get(text)) out.node = text;
    if (name == "kind" && value.get(text)) out.kind = text;
    if (name != "reasons") continue;
    json::ArrayCursor reasons(value);
    for (json::Value reason; reasons.next(reason);) {
      REQUIRE(reason.get(text));
      if (!out.reasons.empty()) out.reasons += '|';
      out.reasons += text;
    }
  }
  return out;
}

Told read(const admin::Answer& answer) {
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  json::Document document;
  const auto root = document.parse_copy(as_bytes(answer.body));
  REQUIRE(root);
  Told out;
  json::ObjectCursor cursor(*root);
  std::string_view name;
  for (json::Value value; cursor.next(name, value);) {
    if (name == "next") REQUIRE(value.get(out.next));
    if (name == "lost") REQUIRE(value.get(out.lost));
    if (name == "messageSeq") REQUIRE(value.get(out.message_seq));
    if (name == "message") out.has_message = value.type() == json::Type::object;
    if (name == "streams") out.streams = json::ArrayCursor(value).count();
    if (name != "frames") continue;
    json::ArrayCursor frames(value);
    for (json::Value frame; frames.next(frame);) out.frames.push_back(read_frame(frame));
  }
  return out;
}

struct Two {
  AdminSite site;
  SiteNode a{site, 1}, b{site, 2};
  std::uint64_t seen = 0;
  explicit Two(AdminSite::Options options = {}) : site(options) {
    for (SiteNode* node : {&a, &b}) {
      node->enroll();
      node->start_poll();
      site.advance(soon);
      update(*node, "192.0.2.1:1");  // its disco key, too
      site.advance(soon);
    }
    seen = ask(a).next;
  }
  Told ask(const SiteNode& node, std::uint64_t after = 0) {
    return read(site.call(
        "GET", "/admin/timeline?timeout=0s&node=" + node.key() + "&after=" + std::to_string(after)));
  }
  std::string id(const SiteNode& node) {
    return std::to_string(static_cast<std::uint64_t>(site.coordinator->node(node.node_key)->record->id));
  }
  // What has come to the node since the last time.
  Shown only(const SiteNode& node) {
    site.advance(soon);
    const Told told = ask(node, std::exchange(seen, ask(node).next));
    REQUIRE(told.frames.size() == 1);
    return told.frames[0];
  }
  void update(SiteNode& node, std::string_view endpoint) {
    auto request = node.map_request();
    request.stream = false;
    request.omit_peers = true;
    request.hostinfo.reset();
    request.endpoints.push_back(*IpPort::parse(endpoint));
    site.send(node.session, request);
  }
};

}  // namespace

TEST_CASE("The timeline names the input or the order that each frame comes from") {
  Two two;
  const Told first = two.ask(two.a);
  REQUIRE(first.frames.size() >= 2);
  CHECK(first.frames[0].reasons == "first map");
  CHECK(first.frames[0].kind == "whole");
  CHECK(first.frames[0].node == two.a.key());
  CHECK(first.frames[0].unpacked == first.frames[0].size);
  CHECK(contains(first.frames.back().reasons, "node 2"));
  CHECK(first.streams == 1);

  two.update(two.b, "192.0.2.7:41641");
  CHECK(two.only(two.a).reasons == "endpoint update of node 2");
  two.update(two.b, "192.0.2.7:41641");
  CHECK(two.only(two.a).reasons == "update of node 2: nothing new");
  two.site.call("PUT", two.a.path("/jailed/") + two.b.key(), R"({"jailed":true})");
  const Shown jailed = two.only(two.a);
  CHECK(jailed.reasons == "order SetJailed: node 2 for node 1");
  CHECK(jailed.kind == "whole");
  two.site.call("PUT", two.b.path("/routes"), R"(["10.0.0.0/24"])");
  CHECK(two.only(two.a).reasons == "order OverrideRoutes of node 2");
  two.site.call("POST", two.a.path("/ping"), R"({"URL":"http://x.test/p"})");
  const Shown ping = two.only(two.a);
  CHECK(ping.reasons == "ping");
  CHECK(ping.kind == "raw");
  two.site.call("POST", two.a.path("/raw-map"), R"({"Domain":"raw.test"})");
  CHECK(two.only(two.a).reasons == "raw-map");
  two.site.call("POST", two.a.path("/c2n"), R"({"path":"/x","wait":false})");
  CHECK(two.only(two.a).reasons == "c2n");
  two.site.call("POST", two.a.path("/raw-map"), R"({"Domain":"raw.test"})");
  CHECK(contains(two.site.call("GET", "/admin/timeline?node=" + two.a.key()).body,
                 R"("message":{"Domain":"raw.test"})"));
}

TEST_CASE("First maps that a test has changed say so") {
  AdminSite site;
  SiteNode a(site, 1);
  a.enroll();
  const auto first = [&] {
    const auto before = read(site.call("GET", "/admin/timeline?after=-1")).next;
    a.start_poll();
    site.advance(soon);
    if (const auto held = site.answer(site.begin("GET", "/admin/holds/h1/next?timeout=0s"));
        held && held->status == 200)
      site.call("POST", "/admin/holds/h1/calls/1", R"({"action":"replace","response":{"Domain":"x"}})");
    return read(site.call("GET", "/admin/timeline?timeout=0s&after=" + std::to_string(before))).frames.at(0);
  };
  CHECK(first().reasons == "first map");
  site.call("PUT", "/admin/first-map-patch", R"({"Domain":"patched.test"})");
  const Shown patched = first();
  CHECK(patched.reasons == "first map|first-map patch");
  CHECK(patched.kind == "whole");
  site.call("POST", "/admin/holds", R"({"on":"first-map"})");
  const Shown replaced = first();
  CHECK(replaced.reasons == "first map|first-map patch|changed by a hold");
  CHECK(replaced.kind == "whole");
  auto lite = a.map_request();
  lite.stream = false;
  site.call("DELETE", "/admin/holds/h1");
  site.call("PUT", "/admin/first-map-patch", "null");
  site.send(a.session, lite);
  const Told told = read(site.call("GET", "/admin/timeline?timeout=0s"));
  CHECK(std::any_of(told.frames.begin(), told.frames.end(),
                    [](const Shown& one) { return one.reasons == "map, asked for once"; }));
}

TEST_CASE("Keep-alives take no reason away, and are no last message") {
  Two two;
  two.site.advance(std::chrono::seconds{61});
  const Told told = two.ask(two.a, two.seen);
  REQUIRE_FALSE(told.frames.empty());
  CHECK(told.frames.back().kind == "keep-alive");
  CHECK(told.frames.back().reasons == "keep-alive");
  CHECK(told.message_seq == 0);
  CHECK(two.ask(two.a).message_seq <= two.seen);
  two.seen = two.ask(two.a).next;
  two.site.call("PUT", two.b.path("/routes?push=false"), R"(["10.0.0.0/24"])");
  two.site.advance(std::chrono::seconds{61});
  const Told quiet = two.ask(two.a, two.seen);
  REQUIRE_FALSE(quiet.frames.empty());
  for (const Shown& one : quiet.frames) CHECK(one.reasons == "keep-alive");
  two.seen = two.ask(two.a).next;
  two.update(two.b, "192.0.2.7:41641");
  CHECK(two.only(two.a).reasons == "order OverrideRoutes of node 2|endpoint update of node 2");
}

TEST_CASE("A delta has reasons only of the nodes that it names") {
  Two two({.test_mode = false});
  SiteNode c(two.site, 3);
  two.seen = two.ask(two.a).next;
  c.enroll();
  two.site.advance(soon);
  CHECK(contains(two.ask(two.a, two.seen).frames.back().reasons, "node " + two.id(c) + " has registered"));
  two.seen = two.ask(two.a).next;
  two.update(two.b, "192.0.2.7:41641");
  const Shown seen_by_a = two.only(two.a);
  CHECK(seen_by_a.reasons == "endpoint update of node " + two.id(two.b));
  CHECK(seen_by_a.kind == "delta");
  // A node is not told of its own; what comes next is of the other alone.
  two.seen = two.ask(two.b).next;
  two.update(two.b, "192.0.2.8:41641");
  two.update(two.a, "192.0.2.9:41641");
  CHECK(two.only(two.b).reasons == "endpoint update of node " + two.id(two.a));
}

TEST_CASE("A refused order is no reason") {
  Two two({.test_mode = false});
  CHECK(two.site.call("PATCH", "/admin/config", R"({"requireAuth":true})").status == 409);
  two.update(two.b, "192.0.2.7:41641");
  CHECK(two.only(two.a).reasons == "endpoint update of node " + two.id(two.b));
}

TEST_CASE("Many causes of one frame are merged, and five are named") {
  Causes causes;
  FrameLook look;
  look.kind = FrameKind::delta;
  look.nodes = {NodeId{1}};
  for (int i = 0; i < 3; ++i) causes.add({"same"});
  causes.add({"of another", Cause::Reach::about, NodeId{2}});
  causes.add({"of one", Cause::Reach::about, NodeId{1}});
  causes.add({"for another", Cause::Reach::only_node, NodeId{8}});
  causes.add({"for me", Cause::Reach::only_node, NodeId{9}});
  causes.add({});
  Reasons reasons = causes.since(0, NodeId{9}, look);
  CHECK(reasons.named == std::vector<std::string>{"same (3 times)", "of one", "for me"});
  CHECK(causes.since(causes.last(), NodeId{9}, look).named.empty());
  for (int i = 0; i < 7; ++i) causes.add({"cause " + std::to_string(i)});
  reasons = causes.since(0, NodeId{}, look);
  CHECK(reasons.named.size() == Causes::max_named);
  CHECK(reasons.more == 4);
  look.kind = FrameKind::whole;  // may mention anybody
  CHECK(contains(causes.since(0, NodeId{}, look).named[1], "of another"));
  for (std::size_t i = 0; i < 2 * Causes::max_kept; ++i) causes.add({"late"});
  CHECK(causes.since(0, NodeId{}, look).named == std::vector<std::string>{"late (1000 times)"});
  causes.forget();
  CHECK(causes.since(0, NodeId{}, look).named.empty());
}

TEST_CASE("Orders are named as they are called, requests by what is new in them") {
  CHECK(cause_of(CoordOrder{coord_command::CompleteLogin{}}).text == "order CompleteLogin");
  CHECK(cause_of(CoordOrder{coord_command::AddDnsRecords{}}).text == "order AddDnsRecords");
  CHECK(cause_of(CoordOrder{coord_command::PutNode{}}).text == "order PutNode");
  CHECK(cause_of(CoordOrder{coord_command::SetMessages{}}).reach == Cause::Reach::all);
  const Cause ping = cause_of(CoordOrder{coord_command::Ping{NodeId{4}, {}, {}}});
  CHECK(ping.text == "order Ping of node 4");
  CHECK(ping.reach == Cause::Reach::only_node);

  NodeRecord before;
  before.id = NodeId{3};
  before.capability = newest_capability;
  before.endpoints = {*IpPort::parse("192.0.2.1:1"), *IpPort::parse("192.0.2.2:2")};
  before.hostinfo = std::make_shared<const Hostinfo>();
  MapRequest request;
  request.version = newest_capability;
  request.omit_peers = true;
  request.endpoints = {before.endpoints[1], before.endpoints[0]};  // their order means nothing
  CHECK(cause_of(request, before).text == "update of node 3: nothing new");
  request.disco_key = test::make_key<DiscoPublic>(5);
  request.hostinfo.emplace().hostname = "<b>";
  request.hostinfo->net_info.emplace().preferred_derp = 7;
  request.hostinfo->routable_ips.push_back(*IpPrefix::parse("10.0.0.0/8"));
  CHECK(cause_of(request, before).text == "update of node 3: disco key, home relay, hostname, routes");
  request.hostinfo->hostname.clear();
  request.stream = true;  // newer clients tell neither endpoints nor disco key with a poll
  request.endpoints.clear();
  CHECK(cause_of(request, before).text == "new poll of node 3: home relay, routes");
  request.read_only = true;
  CHECK(cause_of(request, before).text.empty());
}

TEST_CASE("The newest 200 frames of a node are kept, and what was lost is said") {
  Two two;
  for (int i = 0; i < 250; ++i) two.site.call("POST", two.a.path("/raw-map"), R"({"Seq":1})");
  const Told all = two.ask(two.a);
  CHECK(all.frames.size() == Timeline::max_kept);
  CHECK(all.lost);
  CHECK(all.frames.back().seq == all.next);
  CHECK_FALSE(two.ask(two.a, all.frames.front().seq).lost);
  CHECK(two.ask(two.a, all.frames.front().seq).frames.size() == Timeline::max_kept - 1);
  CHECK_FALSE(two.ask(two.b).lost);
  const Told both = read(two.site.call("GET", "/admin/timeline?timeout=0s"));
  CHECK(both.frames.size() == Timeline::max_kept + two.ask(two.b).frames.size());
  CHECK(both.streams == 2);
  CHECK(
      std::is_sorted(both.frames.begin(), both.frames.end(), [](auto& x, auto& y) { return x.seq < y.seq; }));
}

TEST_CASE("The node that is longest silent makes room") {
  Timeline timeline;
  Frames frames;
  const auto pieces = frames.pack("{}", Compression::none);
  REQUIRE(pieces);
  for (std::uint64_t i = 1; i <= Timeline::max_nodes; ++i)
    timeline.add(test::make_key<NodePublic>(i), {}, pieces, Compression::none);
  timeline.add(test::make_key<NodePublic>(1), {}, pieces, Compression::none);
  timeline.add(test::make_key<NodePublic>(Timeline::max_nodes + 1), {}, pieces, Compression::none);
  CHECK(timeline.knows(test::make_key<NodePublic>(1)));
  CHECK_FALSE(timeline.knows(test::make_key<NodePublic>(2)));
  CHECK(timeline.knows(test::make_key<NodePublic>(Timeline::max_nodes + 1)));
}

TEST_CASE("Messages above 256 KiB are not kept, and frames above 64 KiB are not read") {
  Two two;
  const auto raw = [&](std::size_t size) {
    two.site.call("POST", two.a.path("/raw-map"), "{\"X\":\"" + std::string(size, 'x') + "\"}");
    return two.ask(two.a, two.seen);
  };
  CHECK(raw(100 << 10).has_message);
  const Told large = raw(300 << 10);
  CHECK_FALSE(large.has_message);
  CHECK(large.message_seq == large.next);
  CHECK(large.frames.back().size > 300 << 10);

  Frames frames;
  const std::string delta =
      R"({"PeersChangedPatch":[{"NodeID":4}],"PeersRemoved":[5],"OnlineChange":{"6":true},)"
      R"("PeersChanged":[{"Name":"x","ID":7}],"Node":{"ID":8}})";
  for (const Compression compression : {Compression::none, Compression::zstd}) {
    FrameLook look = look_at(frames.pack(delta, compression), compression, false);
    CHECK(look.kind == FrameKind::delta);
    CHECK(look.unpacked.value_or(0) >= delta.size());
    CHECK(look.nodes == std::set<NodeId>{NodeId{4}, NodeId{5}, NodeId{6}, NodeId{7}, NodeId{8}});
    CHECK(look_at(frames.pack(delta, compression), compression, true).kind == FrameKind::whole);
    CHECK(look_at(frames.pack(R"({"Peers":[]})", compression), compression, false).kind == FrameKind::whole);
    CHECK(look_at(frames.pack("[]", compression), compression, false).kind == FrameKind::large);
    for (const char* odd :
         {R"({"PeersChanged":5,"PeersRemoved":["x"],"OnlineChange":[],"Node":1})",
          R"({"PeersChanged":[1,{"ID":"x"}],"OnlineChange":{"x":1},"PeersChangedPatch":{}})"})
      CHECK(look_at(frames.pack(odd, compression), compression, false).nodes.empty());
  }
  const std::string long_text = "{\"X\":\"" + std::string(max_looked_at, 'x') + "\"}";
  const FrameLook unread = look_at(frames.pack(long_text, Compression::none), Compression::none, true);
  CHECK(unread.kind == FrameKind::large);
  CHECK_FALSE(unread.unpacked);
}

TEST_CASE("Who has seen all waits for the next frame") {
  Two two;
  const std::string now = std::to_string(read(two.site.call("GET", "/admin/timeline?after=-1")).next);
  const auto of_a = two.site.begin("GET", "/admin/timeline?after=" + now + "&node=" + two.a.key());
  const auto of_all = two.site.begin("GET", "/admin/timeline?after=" + now);
  const auto short_wait = two.site.begin("GET", "/admin/timeline?timeout=5s&after=" + now);
  two.site.advance(std::chrono::seconds{6});
  CHECK(read(*two.site.answer(short_wait)).frames.empty());
  two.site.call("POST", two.b.path("/raw-map"), "{}");
  CHECK_FALSE(two.site.answer(of_a));
  const auto told = two.site.answer(of_all);
  REQUIRE(told);
  CHECK(read(*told).frames.size() == 1);
  two.site.call("POST", two.a.path("/raw-map"), "{}");
  const auto told_of_a = two.site.answer(of_a);
  REQUIRE(told_of_a);
  CHECK(read(*told_of_a).frames[0].node == two.a.key());
}

TEST_CASE("A reset forgets timelines, and numbers go on") {
  Two two;
  const std::uint64_t before = read(two.site.call("GET", "/admin/timeline?after=-1")).next;
  CHECK(two.site.call("POST", "/admin/reset").status == 204);
  CHECK(two.site.call("GET", "/admin/timeline?node=" + two.a.key()).status == 404);
  const Told told = read(two.site.call("GET", "/admin/timeline?timeout=0s"));
  CHECK(told.frames.empty());
  CHECK(told.next == before);
  CHECK(told.streams == 0);
}

TEST_CASE("What is asked wrongly is refused") {
  Two two;
  for (const char* query : {"node=x", "after=x", "after=-2", "timeout=x", "node="})
    CHECK(two.site.call("GET", "/admin/timeline?" + std::string(query)).status == 400);
  CHECK(two.site.call("GET", "/admin/timeline?node=" + SiteNode(two.site, 9).key()).status == 404);
}

TEST_CASE("The page says nothing of nodes, and browsers run nothing but its own script") {
  Two two;
  for (const char* path : {"/", "/admin/"}) {
    const auto page = two.site.call("GET", path);
    CHECK(page.status == 200);
    CHECK(page.content_type == "text/html; charset=utf-8");
    CHECK(page.body == page_text());
    CHECK(page.body.starts_with("<!DOCTYPE html>"));
    CHECK(page.body.ends_with("</html>\n"));
    const auto policy = std::find_if(page.headers.begin(), page.headers.end(),
                                     [](auto& h) { return h.name == "Content-Security-Policy"; });
    REQUIRE(policy != page.headers.end());
    for (const char* part : {"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-",
                             "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"})
      CHECK(contains(policy->value, part));
    CHECK_FALSE(contains(policy->value, "unsafe"));
  }
  // Nothing that could make text of nodes into more than text, and nothing from elsewhere.
  for (const char* word : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                           "http://", "https://", "style=", "onclick="})
    CHECK_FALSE(contains(page_text(), word));
  const auto& paths = Desk::open_paths();
  CHECK(std::vector<std::string_view>(paths.begin(), paths.end()) ==
        std::vector<std::string_view>{"/", "/admin/"});
}

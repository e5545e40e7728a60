// SPDX-License-Identifier: BSD-3-Clause
// What waits for a person: SSH sessions in check mode, web clients, and the page on which they are decided.
#include "service/page.h"
#include "sim/site.h"
#include "support/catch.h"
#include "ts2021/coord/policy.h"
#include "ts2021/msg/endpoint.h"
#include "ts2021/msg/filter.h"
#include "ts2021/msg/register.h"
#include "ts2021/msg/ssh.h"

using namespace ts2021;
using test::Asker;
using test::Member;
using test::SiteAnswer;
using test::World;

namespace {

// Everybody reaches everybody; one SSH rule.
class OneRule final : public Policy {
 public:
  explicit OneRule(SSHRule rule) : rule_(std::move(rule)) {}
  ViewClass view_of(const Subject& node) const override { return all_.view_of(node); }
  bool sees(ViewClass viewer, const Subject& peer) const override { return all_.sees(viewer, peer); }
  std::vector<FilterRule> packet_filter(const Subject& node) const override {
    return all_.packet_filter(node);
  }
  std::optional<SSHPolicy> ssh_policy(const Subject&, std::span<const Subject>) const override {
    return SSHPolicy{{rule_}};
  }

 private:
  AllowAll all_;
  SSHRule rule_;
};

SSHRule check_rule(std::string_view more_query = {}) {
  SSHRule rule;
  rule.principals.emplace_back().user_login = "owner@ts2021.test";
  rule.ssh_users = {{"root", "root"}, {"*", "="}, {"nobody", ""}};
  rule.action.hold_and_delegate =
      "https://unused/machine/ssh/action/from/$SRC_NODE_ID/to/$DST_NODE_ID" + std::string(more_query);
  rule.action.allow_agent_forwarding = true;
  return rule;
}

struct Scene {
  World world;
  Member host, guest;

  explicit Scene(SSHRule rule, std::string login_url = "http://control.example.com")
      : world({}, coordination(std::move(login_url))), host(world, 1, "host"), guest(world, 2, "guest") {
    world.coordinator.handle(
        CoordCommand{CommandId{1}, coord_command::SetPolicy{std::make_shared<OneRule>(std::move(rule))}},
        world.clock.now);
    world.run();
  }
  static CoordinatorConfig coordination(std::string login_url) {
    CoordinatorConfig config = World::coordinator_config("good-key");
    config.rules.login_url = std::move(login_url);
    return config;
  }
  [[nodiscard]] std::string path(std::string_view query = "ssh_user=root&local_user=root") const {
    return "/machine/ssh/action/from/" + guest.id_text() + "/to/" + host.id_text() + "?" + std::string(query);
  }
  SSHAction action(std::string_view query = "ssh_user=root&local_user=root") {
    const SiteAnswer answer = host.site.ask("GET", path(query));
    REQUIRE(answer.status == 200);
    REQUIRE(answer.header("content-type") == "application/json");
    return read(answer.body);
  }
  static SSHAction read(const std::string& body) {
    const auto action = decode_copy<SSHAction>(as_bytes(body));
    REQUIRE(action);
    return *action;
  }
  // What a person's browser does with the form.
  SiteAnswer say(const std::string& id, std::string_view form, std::span<const Header> headers = {}) {
    Asker browser(world, world.connect(0, ClientMode::http1));
    return browser.ask("POST", "/a/" + id, form, headers);
  }
  SiteAnswer look(const std::string& id) {
    Asker browser(world, world.connect(0, ClientMode::http1));
    return browser.ask("GET", "/a/" + id);
  }
};

std::string id_in(const SSHAction& action) {
  const std::string mark = "auth_id=";
  return action.hold_and_delegate.substr(action.hold_and_delegate.find(mark) + mark.size());
}
std::string path_of(const SSHAction& action) {
  REQUIRE(action.hold_and_delegate.starts_with("https://unused/"));
  return action.hold_and_delegate.substr(std::string("https://unused").size());
}
constexpr std::string_view yes = "login_name=owner%40ts2021.test&decision=connect";
constexpr std::string_view no = "decision=deny";

}  // namespace

TEST_CASE(
    "API-134: a session in check mode waits for its person, and is let in with the rule's permissions") {
  Scene scene(check_rule());
  const SSHAction first = scene.action();
  const std::string id = id_in(first);
  REQUIRE(first.message == "# To continue, visit:\n# http://control.example.com/a/" + id + "\n");
  REQUIRE_FALSE(first.accept);
  REQUIRE(id.size() == 32);
  const StreamId held = scene.host.site.start("GET", path_of(first));
  REQUIRE(scene.host.site.answers[held].status == 0);

  const SiteAnswer page = scene.look(id);
  REQUIRE(page.status == 200);
  REQUIRE(page.body.find("root on host") != std::string::npos);
  REQUIRE(page.body.find("guest") != std::string::npos);
  REQUIRE(scene.host.site.answers[held].status == 0);  // API-144: looking decides nothing
  REQUIRE(scene.say(id, yes).status == 200);
  REQUIRE(scene.host.site.answers[held].status == 200);
  const SSHAction let_in = Scene::read(scene.host.site.answers[held].body);
  REQUIRE(let_in.accept);
  REQUIRE(let_in.allow_agent_forwarding);
  REQUIRE(let_in.hold_and_delegate.empty());
  REQUIRE(let_in.message.empty());
  // Asked again, also when the answer was lost, it is the same; what was decided is not decided again.
  REQUIRE(Scene::read(scene.host.site.ask("GET", path_of(first)).body).accept);
  REQUIRE(scene.look(id).status == 404);
  REQUIRE(scene.say(id, no).status == 404);
}

TEST_CASE("API-135: a person's word holds for the check period") {
  Scene scene(check_rule("?period=60"));
  const SSHAction first = scene.action();
  REQUIRE(scene.say(id_in(first), yes).status == 200);
  REQUIRE(scene.action().accept);
  scene.world.clock.advance(std::chrono::seconds{59});
  REQUIRE(scene.action("ssh_user=alice&local_user=alice").accept);
  scene.world.clock.advance(std::chrono::seconds{2});
  REQUIRE_FALSE(scene.action().accept);
}

TEST_CASE("API-134: a session is denied by the person, by time, and by the policy") {
  Scene scene(check_rule());
  const SSHAction denied = scene.action();
  const StreamId held = scene.host.site.start("GET", path_of(denied));
  REQUIRE(scene.say(id_in(denied), no).status == 200);
  const SSHAction no_entry = Scene::read(scene.host.site.answers[held].body);
  REQUIRE(no_entry.reject);
  REQUIRE(no_entry.message == "The session was denied.\n");

  const StreamId late = scene.host.site.start("GET", path_of(scene.action()));
  scene.world.clock.advance(std::chrono::minutes{15});
  scene.world.run();
  REQUIRE(Scene::read(scene.host.site.answers[late].body).reject);
  // The server has forgotten, or restarted: another delegate.
  const SSHAction again = scene.action("ssh_user=root&local_user=root&auth_id=00112233");
  REQUIRE(id_in(again).size() == 32);

  for (const char* query :
       {"ssh_user=nobody&local_user=nobody", "ssh_user=root&local_user=alice", "", "ssh_user=a"})
    REQUIRE(scene.action(query).reject);
  SSHRule other = check_rule();
  other.principals[0].user_login = "somebody@else";
  REQUIRE(Scene(other).action().reject);
  SSHRule plain = check_rule();
  plain.action.hold_and_delegate.clear();
  plain.action.accept = true;
  REQUIRE(Scene(plain).action().accept);
  plain.action.accept = false;
  plain.action.reject = true;
  REQUIRE(Scene(plain).action().reject);
  REQUIRE(Scene(check_rule(), "").action().reject);  // without a page nobody can confirm
}

TEST_CASE("API-134: only the machine of the destination may ask, and only for nodes that exist") {
  Scene scene(check_rule());
  const SSHAction first = scene.action();
  REQUIRE(scene.guest.site.ask("GET", scene.path()).status == 404);
  REQUIRE(scene.guest.site.ask("GET", path_of(first)).status == 404);
  const std::string to = "/to/" + scene.host.id_text();
  for (const char* from : {"0", "x", "-1", "999", "18446744073709551616"})
    REQUIRE(scene.host.site.ask("GET", "/machine/ssh/action/from/" + std::string(from) + to).status == 404);
  // An id of another session opens none.
  REQUIRE(scene.host.site.ask("GET", scene.path("ssh_user=a&local_user=a&auth_id=" + id_in(first))).status ==
          404);
  // What waits for one target is bounded.
  int refused = 0;
  for (int i = 0; i < 20; ++i) refused += scene.host.site.ask("GET", scene.path()).status == 429;
  REQUIRE(refused == 5);
}

TEST_CASE("a held session that was cancelled, or whose connection went, leaves nothing behind") {
  Scene scene(check_rule());
  const SSHAction first = scene.action();
  const StreamId held = scene.host.site.start("GET", path_of(first));
  scene.host.site.pair.client().cancel(held);
  scene.world.run();
  Member& host = scene.host;
  Asker second(scene.world, Member::connect(scene.world, host.machine));
  (void)second.start("GET", path_of(first));
  second.pair.server().receive_end(scene.world.clock.now);
  scene.world.run();
  REQUIRE(scene.say(id_in(first), yes).status == 200);
  REQUIRE(scene.host.site.answers[held].status == 0);
  REQUIRE(scene.action().accept);
}

TEST_CASE("a login by page: the person sees the machine, decides, and the node's held request is answered") {
  Scene scene(check_rule());
  const MachineKeyPair machine = Member::key(9);
  Asker site(scene.world, Member::connect(scene.world, machine));
  const auto request = [&](std::string_view followup) {
    return R"({"Version":138,"NodeKey":")" + Member::node_key(9).text() + R"(","Followup":")" +
           std::string(followup) + R"(","Hostinfo":{"Hostname":"<b>laptop</b>","OS":"linux"}})";
  };
  const auto begin = [&] {
    const auto reply =
        decode_copy<RegisterResponse>(as_bytes(site.ask("POST", "/machine/register", request("")).body));
    REQUIRE(reply);
    REQUIRE(reply->auth_url.starts_with("http://control.example.com/a/"));
    return reply->auth_url;
  };
  const auto id_of = [](const std::string& url) { return url.substr(url.rfind('/') + 1); };
  const auto answer_of = [&](StreamId stream) {
    const auto reply = decode_copy<RegisterResponse>(as_bytes(site.answers[stream].body));
    REQUIRE(reply);
    return *reply;
  };

  const std::string denied = begin();
  const StreamId first = site.start("POST", "/machine/register", request(denied));
  const SiteAnswer page = scene.look(id_of(denied));
  REQUIRE(page.status == 200);
  REQUIRE(page.body.find("&lt;b&gt;laptop&lt;/b&gt;") != std::string::npos);
  REQUIRE(page.body.find("<b>") == std::string::npos);
  REQUIRE(site.answers[first].status == 0);
  REQUIRE(scene.say(id_of(denied), no).status == 200);
  REQUIRE(answer_of(first).error == "the login was denied");
  REQUIRE(scene.look(id_of(denied)).status == 404);
  REQUIRE(scene.world.coordinator.nodes().size() == 2);

  const std::string url = begin();
  const StreamId second = site.start("POST", "/machine/register", request(url));
  REQUIRE(scene
              .say(id_of(url), "login_name=alice%40example.com&decision=connect",
                   std::vector<Header>{{"Origin", "https://evil.example"}})
              .status == 403);
  REQUIRE(site.answers[second].status == 0);
  REQUIRE(scene.say(id_of(url), "login_name=alice%40example.com&decision=connect").status == 200);
  const RegisterResponse done = answer_of(second);
  REQUIRE(done.machine_authorized);
  REQUIRE(done.login.login_name == "alice@example.com");
  REQUIRE(scene.world.coordinator.nodes().size() == 3);
}

TEST_CASE("API-137: who confirms must be the owner of the node that wants in") {
  Scene scene(check_rule());
  const std::string id = id_in(scene.action());
  REQUIRE(scene.say(id, "login_name=mallory%40ts2021.test&decision=connect").status == 403);
  REQUIRE(scene.look(id).status == 200);  // it still waits
  for (const char* bad :
       {"decision=connect", "login_name=&decision=connect", "login_name=a+b&decision=connect",
        "login_name=a%22&decision=connect", "login_name=a%0a&decision=connect",
        "login_name=owner%40ts2021.test", "", "decision=maybe"})
    REQUIRE(scene.say(id, bad).status == 400);
  REQUIRE(scene.say(id, "login_name=" + std::string(255, 'a') + "&decision=connect").status == 400);
  REQUIRE(scene.look("unknown").status == 404);
  REQUIRE(scene.say("unknown", yes).status == 404);
  REQUIRE(scene.say(id, yes).status == 200);
}

TEST_CASE("API-144: a form from another site changes nothing") {
  Scene scene(check_rule());
  const std::string id = id_in(scene.action());
  const auto with = [&](std::vector<Header> headers) { return scene.say(id, yes, headers).status; };
  REQUIRE(with({{"Sec-Fetch-Site", "cross-site"}}) == 403);
  REQUIRE(with({{"Sec-Fetch-Site", "same-site"}, {"Origin", "http://control.example.com"}}) == 403);
  REQUIRE(with({{"Sec-Fetch-Site", "none"}}) == 403);
  REQUIRE(with({{"Origin", "https://evil.example"}}) == 403);
  REQUIRE(with({{"Origin", "null"}}) == 403);
  REQUIRE(with({{"Origin", "http://control.example.com.evil"}}) == 403);
  REQUIRE(scene.look(id).status == 200);
  REQUIRE(with({{"Origin", "http://CONTROL.example.com:80"}}) == 200);  // as Host has it
}

TEST_CASE("the origin of a form is looked for in the browser's word, in Host, and in the site's URL") {
  const auto same = [](std::vector<Header> headers, std::string_view url = "") {
    return service::is_same_origin(headers, url);
  };
  REQUIRE(same({{"sec-fetch-site", "same-origin"}, {"origin", "http://other"}}));
  REQUIRE(same({{"host", "a:1"}, {"origin", "https://a:1"}}));
  REQUIRE_FALSE(same({{"host", "a:1"}, {"origin", "https://a"}}));
  REQUIRE(same({{"host", "inner"}, {"origin", "https://outer"}}, "https://outer"));
  REQUIRE_FALSE(same({{"host", ""}, {"origin", "https://"}}));
  REQUIRE(same({{"host", "a"}}));
}

TEST_CASE(
    "API-144: hostile text of a node is only text on its page, which loads nothing and fits in no frame") {
  answer::Pending pending;
  pending.hostname = "<script>alert(1)</script>";
  pending.os = "\"'><img src=x onerror=\"a\">&\n\x01";
  const std::string page = service::decision_page(pending);
  REQUIRE(page.find("<script") == std::string::npos);
  REQUIRE(page.find("<img") == std::string::npos);
  REQUIRE(page.find("&lt;script&gt;alert(1)&lt;/script&gt;") != std::string::npos);
  REQUIRE(page.find("&quot;&#39;&gt;&lt;img src=x onerror=&quot;a&quot;&gt;&amp;  ") != std::string::npos);
  for (const char* outside : {"src=\"", "http://", "https://", "@import", "url("})
    REQUIRE(page.find(outside) == std::string::npos);
  REQUIRE(page.find(">Connect</button>") != std::string::npos);
  REQUIRE(page.find(">Deny</button>") != std::string::npos);
  REQUIRE(page.find("name=\"login_name\"") != std::string::npos);
  REQUIRE(page.find("<form method=\"post\"") != std::string::npos);

  Scene scene(check_rule());
  const SiteAnswer answer = scene.look(id_in(scene.action()));
  REQUIRE(answer.header("content-type") == "text/html; charset=utf-8");
  REQUIRE(answer.header("content-security-policy").find("default-src 'none'") != std::string::npos);
  REQUIRE(answer.header("content-security-policy").find("frame-ancestors 'none'") != std::string::npos);
  REQUIRE(answer.header("referrer-policy") == "same-origin");
  REQUIRE(answer.header("cache-control") == "no-store");
  REQUIRE(answer.header("x-frame-options") == "DENY");
  Asker browser(scene.world, scene.world.connect(0, ClientMode::http1));
  REQUIRE(browser.ask("GET", "/admin").status == 200);
}

TEST_CASE("API-136: a web client begins, waits, and is let in or not") {
  Scene scene(check_rule());
  const std::string ends = scene.guest.id_text() + "/to/" + scene.host.id_text();
  const auto begin = [&] {
    const SiteAnswer answer = scene.host.site.ask("POST", "/machine/webclient/init/" + ends);
    REQUIRE(answer.status == 200);
    const auto visit = decode_copy<WebClientAuthResponse>(as_bytes(answer.body));
    REQUIRE(visit);
    REQUIRE(visit->url == "http://control.example.com/a/" + visit->id);
    REQUIRE_FALSE(visit->complete);
    return visit->id;
  };
  const std::string wait = "/machine/webclient/wait/" + ends + "/";
  const std::string good = begin(), bad = begin(), late = begin();
  const StreamId first = scene.host.site.start("POST", wait + good);
  REQUIRE(scene.host.site.answers[first].status == 0);
  REQUIRE(scene.look(good).body.find("web client") != std::string::npos);
  REQUIRE(scene.say(good, yes).status == 200);
  REQUIRE(scene.host.site.answers[first].body == R"({"Complete":true})");
  REQUIRE(scene.host.site.ask("POST", wait + good).body == R"({"Complete":true})");
  const StreamId second = scene.host.site.start("POST", wait + bad);
  REQUIRE(scene.say(bad, no).status == 200);
  REQUIRE(scene.host.site.answers[second].status == 403);
  REQUIRE(scene.host.site.ask("POST", wait + bad).status == 403);
  const StreamId third = scene.host.site.start("POST", wait + late);
  scene.world.clock.advance(std::chrono::minutes{15});
  scene.world.run();
  REQUIRE(scene.host.site.answers[third].status == 403);

  REQUIRE(scene.host.site.ask("POST", wait + "unknown").status == 404);
  REQUIRE(scene.guest.site.ask("POST", wait + good).status == 404);
  REQUIRE(scene.guest.site.ask("POST", "/machine/webclient/init/" + ends).status == 404);
  REQUIRE(scene.host.site.ask("POST", "/machine/webclient/init/999/to/" + scene.host.id_text()).status ==
          404);
  Scene without(check_rule(), "");
  REQUIRE(without.host.site.ask("POST", "/machine/webclient/init/" + ends).status == 501);
  // What a web client was granted is no word for SSH.
  REQUIRE_FALSE(scene.action().accept);
}

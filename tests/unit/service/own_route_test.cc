// SPDX-License-Identifier: BSD-3-Clause
// Rows that the program answers: beside the library's and instead of them.
#include "ts2021/service/own_route.h"

#include "service/endpoints.h"
#include "sim/site.h"
#include "support/catch.h"
#include "ts2021/legacy/nacl_box.h"

using namespace ts2021;
using test::Asker;
using test::Member;
using test::World;

namespace {

ServiceConfig with(std::vector<OwnRoute> rows) {
  ServiceConfig config;
  config.own = std::move(rows);
  return config;
}

// Answers every request with what it knows of it.
struct Program {
  World& world;
  std::vector<own_event::Request> requests;
  std::vector<std::string> bodies;
  std::size_t gone = 0, writable = 0;
  bool hold = false;

  explicit Program(World& w) : world(w) {
    world.on_own = [this](const OwnEvent& event) {
      gone += std::holds_alternative<own_event::Gone>(event);
      writable += std::holds_alternative<own_event::Writable>(event);
      const auto* request = std::get_if<own_event::Request>(&event);
      if (!request) return;
      requests.push_back(*request);
      bodies.emplace_back(as_text(request->request->body));
      if (hold) return;
      const std::string text = "row " + std::to_string(request->row) + " " +
                               std::string(request->request->args[0]) + " " +
                               (request->node ? request->node->name : std::string("nobody"));
      REQUIRE(world.service.respond(request->session, request->call, {200, "text/plain", {}}, share(text)));
    };
  }
};

}  // namespace

TEST_CASE("a row of the program's own is an event with who asks; the program answers") {
  World world(with({{.pattern = "/machine/greet/{}", .names_node = true},
                    {.site = Site::outer, .method = Method::get, .pattern = "/about"}}));
  Program program(world);
  Member one(world, 1, "one");
  const auto greeted = one.site.ask("POST", "/machine/greet/you", one.body());
  REQUIRE(greeted.status == 200);
  REQUIRE(greeted.body == "row 0 you one.ts2021.test");
  REQUIRE(program.requests.at(0).machine == one.machine.open);
  REQUIRE(program.requests.at(0).node->node->key == one.node);
  REQUIRE(program.bodies.at(0) == one.body());

  Asker stranger(world, world.connect(0, ClientMode::http1));
  const auto about = stranger.ask("GET", "/about");
  REQUIRE(about.status == 200);
  REQUIRE(about.body == "row 1  nobody");
  REQUIRE_FALSE(program.requests.at(1).machine);
}

TEST_CASE(
    "a row that names a node: bad JSON 400, unknown and foreign nodes 404, too long 413, wrong method 405") {
  World world(with({{.pattern = "/machine/greet/{}", .max_body = 1000, .names_node = true}}));
  Program program(world);
  Member one(world, 1, "one"), two(world, 2, "two");
  for (const char* bad : {"", "{", "[]", "7", R"({"NodeKey":"x"})"})
    REQUIRE(one.site.ask("POST", "/machine/greet/x", bad).status == 400);
  REQUIRE(one.site.ask("POST", "/machine/greet/x", "{}").status == 404);
  REQUIRE(one.site.ask("POST", "/machine/greet/x", two.body()).status == 404);
  REQUIRE(one.site.ask("POST", "/machine/greet/x", std::string(1001, ' ')).status == 413);
  const auto wrong = one.site.ask("PUT", "/machine/greet/x", one.body());
  REQUIRE(wrong.status == 405);
  REQUIRE(wrong.header("allow") == "POST");
  REQUIRE(program.requests.empty());
}

TEST_CASE("a row of the program wins over the library's, and Allow names its method once") {
  World world(with({{.site = Site::noise, .method = Method::get, .pattern = "/health"}}));
  Program program(world);
  Member one(world, 1, "one");
  REQUIRE(one.site.ask("GET", "/health").body == "row 0  nobody");
  REQUIRE(one.site.ask("POST", "/health", "x").body == "ok\n");
  const std::string allow = one.site.ask("PATCH", "/health").header("allow");
  REQUIRE(allow.find("GET") == allow.rfind("GET"));
  REQUIRE(allow.find("GET") != std::string::npos);
}

TEST_CASE("a boxed row opens its box and its answer leaves in one") {
  test::SeededEntropy entropy(3);
  const ControlBoxPair server = ControlBoxPair::generate(entropy);
  ServiceConfig config =
      with({{.site = Site::outer, .pattern = "/machine/{}/greet", .names_node = true, .boxed = true}});
  config.box = &server;
  World world(std::move(config));
  Program program(world);
  Member one(world, 1, "one");
  const auto box = NaclBox::between(one.machine.secret, server.open);
  REQUIRE(box);
  const auto sealed = [&](std::string_view text) {
    std::string whole(NaclBox::overhead, '\0');
    whole += text;
    std::vector<std::uint8_t> bytes(whole.begin(), whole.end());
    REQUIRE(box->seal(bytes, entropy));
    return std::string(bytes.begin(), bytes.end());
  };
  const std::string path = "/machine/" + one.machine.open.bare_text() + "/greet";
  Asker old(world, world.connect(0, ClientMode::http1));
  auto answer = old.ask("POST", path, sealed(one.body()));
  REQUIRE(answer.status == 200);
  std::vector<std::uint8_t> bytes(answer.body.begin(), answer.body.end());
  const auto text = box->open(bytes);
  REQUIRE(text);
  REQUIRE(as_text(*text).ends_with(" one.ts2021.test"));
  REQUIRE(program.bodies.at(0) == one.body());
  REQUIRE(old.ask("POST", path, sealed("{")).status == 400);
  REQUIRE(old.ask("POST", path, sealed("{}")).status == 404);
  REQUIRE(old.ask("POST", path, one.body()).status == 400);
  // What is asked in the clear on the same connection is answered in the clear.
  REQUIRE(old.ask("GET", "/health").body == "ok\n");
  // A stream has no boxed form.
  program.hold = true;
  (void)old.start("POST", path, sealed(one.body()));
  const auto& open = program.requests.back();
  const auto refused = world.service.start_stream(open.session, open.call, {});
  REQUIRE(refused.error().origin == 1101);
}

TEST_CASE("the program may stream, and hears when its bytes have left and when nobody waits any more") {
  World world(with({{.site = Site::noise, .method = Method::get, .pattern = "/events"}}));
  Program program(world);
  program.hold = true;
  Member one(world, 1, "one");
  const StreamId stream = one.site.start("GET", "/events");
  const auto& open = program.requests.at(0);
  REQUIRE(world.service.push(open.session, open.call, {}, world.clock.now).error().origin == 1102);
  REQUIRE(world.service.end_stream(open.session, open.call).error().origin == 1103);
  REQUIRE(world.service.start_stream(open.session, open.call, {200, "text/plain", {}}));
  REQUIRE(world.service.respond(open.session, open.call, {}, {}).error().origin == 1100);
  for (const char* text : {"one ", "two "}) {
    const SharedBytes piece[] = {share(std::string_view(text))};
    const auto pushed = world.service.push(open.session, open.call, piece, world.clock.now);
    REQUIRE(pushed);
    REQUIRE(*pushed == Pushed::accepted);
    world.run();
  }
  REQUIRE(program.writable == 2);
  REQUIRE(one.site.answers[stream].body == "one two ");
  REQUIRE(world.service.end_stream(open.session, open.call));
  REQUIRE(program.gone == 0);

  const StreamId cancelled = one.site.start("GET", "/events");
  one.site.pair.client().cancel(cancelled);
  world.run();
  REQUIRE(program.gone == 1);
  const auto& lost = program.requests.back();
  REQUIRE(world.service.respond(lost.session, lost.call, {}, {}).error().origin == 1100);

  (void)one.site.start("GET", "/events");
  one.site.pair.server().output_failed(world.clock.now);
  world.run();
  REQUIRE(program.gone == 2);
}

TEST_CASE("rows that nothing can match, or too many of them, are a misuse") {
  const auto origin = [](OwnRoute row) {
    const OwnRoute rows[] = {row};
    const auto made = ControlService::routes(rows);
    return made ? 0 : made.error().origin;
  };
  REQUIRE(origin({.pattern = "/x/{}/{}/{}/{}"}) == 0);
  REQUIRE(origin({.pattern = "/x/{}/{}/{}/{}/{}"}) == 1105);
  REQUIRE(origin({.pattern = "x"}) == 1105);
  REQUIRE(origin({.method = Method::other, .pattern = "/x"}) == 1105);
  REQUIRE(origin({.site = Site::noise, .pattern = "/x/{}", .boxed = true}) == 1106);
  REQUIRE(origin({.site = Site::outer, .pattern = "/x", .boxed = true}) == 1106);
  REQUIRE(origin({.site = Site::outer, .pattern = "/x/{}", .names_node = true}) == 1107);
  const std::vector<OwnRoute> many(257 - service::endpoints().size(), OwnRoute{.pattern = "/x"});
  REQUIRE(ControlService::routes(many).error().origin == 1104);
  REQUIRE(ControlService::routes(std::span(many).first(many.size() - 1)));
}

TEST_CASE("requests that no row takes are told with who asked, where that is wanted") {
  for (const bool wanted : {true, false}) {
    World world;
    world.tell_unrouted = wanted;
    std::vector<std::string> told;
    world.on_own = [&](const OwnEvent& event) {
      const auto& [session, machine, request] = std::get<own_event::Unrouted>(event);
      told.push_back((request.site == Site::noise ? "inside " : "outside ") + request.method + " " +
                     request.path + " " + std::string(machine ? machine->text() : "nobody"));
    };
    Member one(world, 1, "one");
    REQUIRE(one.site.ask("PUT", "/machine/none?x=1", "{}").status == 404);
    REQUIRE(one.site.ask("GET", "/machine/map").status == 405);
    REQUIRE(one.site.ask("GET", "/health").status == 200);
    Asker stranger(world, world.connect(0, ClientMode::http1));
    REQUIRE(stranger.ask("GET", "/machine/map").status == 405);
    const std::string longer = "/" + std::string(2000, 'x');
    REQUIRE(stranger.ask("GET", longer).status == 404);
    if (wanted) {
      const std::string machine = one.machine.open.text();
      REQUIRE(told == std::vector<std::string>{"inside PUT /machine/none " + machine,
                                               "inside GET /machine/map " + machine,
                                               "outside GET /machine/map nobody",
                                               "outside GET " + longer.substr(0, 1024) + " nobody"});
    } else {
      REQUIRE(told.empty());
    }
  }
}

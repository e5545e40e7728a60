// SPDX-License-Identifier: BSD-3-Clause
// The table of endpoints: every path of the control API has its row, and every row refuses what is wrong.
#include "service/endpoints.h"

#include <algorithm>

#include "sim/site.h"
#include "support/catch.h"

using namespace ts2021;
using test::Asker;
using test::Member;
using test::World;

namespace {

struct Expected {
  Site site;
  std::string method, pattern;
};
// The control API as clients call it, without the upgrade path, which is the connection's own.
const std::vector<Expected> control_api = {
    {Site::outer, "GET", "/key"},
    {Site::outer, "POST", "/machine/{}"},
    {Site::outer, "POST", "/machine/{}/map"},
    {Site::outer, "POST", "/machine/{}/set-dns"},
    {Site::outer, "GET", "/generate_204"},
    {Site::outer, "GET", "/admin"},
    {Site::outer, "GET", "/a/{}"},
    {Site::outer, "POST", "/a/{}"},
    {Site::outer, "GET", "/auth/{}"},
    {Site::outer, "POST", "/auth/{}"},
    {Site::outer, "HEAD", "/ping/{}"},
    {Site::outer, "POST", "/ping/{}"},
    {Site::outer, "POST", "/verify"},
    {Site::outer, "GET", "/bootstrap-dns"},
    {Site::outer, "GET", "/derpmap/default"},
    {Site::outer, "GET", "/health"},
    {Site::outer, "GET", "/.well-known/openid-configuration"},
    {Site::outer, "GET", "/.well-known/jwks.json"},
    {Site::noise, "POST", "/machine/register"},
    {Site::noise, "POST", "/machine/map"},
    {Site::noise, "POST", "/machine/set-dns"},
    {Site::noise, "POST", "/machine/id-token"},
    {Site::noise, "POST", "/machine/update-health"},
    {Site::noise, "GET", "/machine/tka/init/begin"},
    {Site::noise, "GET", "/machine/tka/init/finish"},
    {Site::noise, "GET", "/machine/tka/bootstrap"},
    {Site::noise, "GET", "/machine/tka/sync/offer"},
    {Site::noise, "GET", "/machine/tka/sync/send"},
    {Site::noise, "GET", "/machine/tka/sign"},
    {Site::noise, "GET", "/machine/tka/disable"},
    {Site::noise, "GET", "/machine/tka/affected-sigs"},
    {Site::noise, "POST", "/machine/feature/query"},
    {Site::noise, "POST", "/machine/webclient/init/{}/to/{}"},
    {Site::noise, "POST", "/machine/webclient/wait/{}/to/{}/{}"},
    {Site::noise, "GET", "/machine/whoami"},
    {Site::noise, "PATCH", "/machine/set-device-attr"},
    {Site::noise, "POST", "/machine/audit-log"},
    {Site::noise, "POST", "/machine/c2n/{}"},
    {Site::noise, "HEAD", "/machine/ping/{}"},
    {Site::noise, "POST", "/machine/ping/{}"},
    {Site::noise, "GET", "/machine/ssh/action/from/{}/to/{}"},
    {Site::noise, "POST", "/machine/ssh/notify"},
    {Site::noise, "GET", "/health"},
    {Site::noise, "POST", "/health"},
};

// Those whose body is a message that names a node: {method, path}.
using Row = std::pair<const char*, const char*>;
const std::vector<Row> node_rows = {
    {"POST", "/machine/set-dns"},          {"POST", "/machine/id-token"},  {"POST", "/machine/feature/query"},
    {"PATCH", "/machine/set-device-attr"}, {"POST", "/machine/audit-log"}, {"POST", "/machine/ssh/notify"},
};
// Those whose body is any message.
const std::vector<Row> other_rows = {{"POST", "/machine/update-health"}, {"POST", "/machine/ping/x"}};

std::string concrete(std::string pattern) {
  for (std::size_t at = pattern.find("{}"); at != std::string::npos; at = pattern.find("{}"))
    pattern.replace(at, 2, "7");
  return pattern;
}

}  // namespace

TEST_CASE("every path of the control API has a row, and there are no other rows") {
  for (const Expected& row : control_api) {
    INFO(row.method << ' ' << row.pattern);
    const auto rows = service::endpoints();
    REQUIRE(std::count_if(rows.begin(), rows.end(), [&](const service::Endpoint& e) {
              return e.site == row.site && text(e.method) == row.method && e.pattern == row.pattern;
            }) == 1);
  }
  REQUIRE(service::endpoints().size() == control_api.size());
  REQUIRE(ControlService::routes().size() == service::endpoints().size());
}

TEST_CASE("every row answers a wrong method 405 with what it takes, unknown paths are 404") {
  World world;
  Member one(world, 1, "one");
  for (const auto& row : service::endpoints()) {
    INFO(row.pattern);
    Asker stranger(world, world.connect(0, ClientMode::http1));
    Asker& asker = row.site == Site::noise ? one.site : stranger;
    const auto answer = asker.ask("DELETE", concrete(std::string(row.pattern)));
    REQUIRE(answer.status == 405);
    REQUIRE(answer.header("allow").find(std::string(text(row.method))) != std::string::npos);
  }
  Asker stranger(world, world.connect(0, ClientMode::http1));
  // What the hosted service has beside control, and what is for the other site only.
  for (const char* path : {"/", "/api/v2/oauth/token", "/api/v2/oauth/token-exchange",
                           "/api/v2/tailnet/-/keys", "/metrics", "/machine/set-dns", "/machine/tka/sign"})
    REQUIRE(stranger.ask("POST", path, "{}").status == 404);
  for (const char* path : {"/key", "/verify", "/a/x", "/admin", "/machine/", "/machine/tka", "/machine/c2n/"})
    REQUIRE(one.site.ask("GET", path).status == 404);
}

TEST_CASE("API-142: bad JSON is 400, a body over 1 MiB 413, unknown and foreign nodes 404, on every row") {
  World world;
  Member one(world, 1, "one"), two(world, 2, "two");
  for (const auto* rows : {&node_rows, &other_rows})
    for (const auto& [method, path] : *rows) {
      INFO(path);
      for (const std::string bad : {"", "{", "[]", "7", "{} {}", R"({"NodeKey":7,"IP":7})"}) {
        INFO(bad);
        REQUIRE(one.site.ask(method, path, bad).status == 400);
      }
      REQUIRE(one.site.ask(method, path, std::string((1 << 20) + 1, ' ')).status == 413);
    }
  for (const auto& [method, path] : node_rows) {
    INFO(path);
    const auto with = [&](const NodePublic& key) {
      return R"({"NodeKey":")" + key.text() + R"(","Audience":"a","Type":"TXT","Value":"v"})";
    };
    REQUIRE(one.site.ask(method, path, with(Member::node_key(9))).status ==
            (std::string(path) == "/machine/id-token" ? 501 : 404));
    REQUIRE(one.site.ask(method, path, with(two.node)).status ==
            (std::string(path) == "/machine/id-token" ? 501 : 404));
    REQUIRE(one.site.ask(method, path, "{}").status ==
            (std::string(path) == "/machine/id-token" ? 501 : 404));
  }
  Asker stranger(world, world.connect(0, ClientMode::http1));
  for (const char* bad : {"", "{", "[]", R"({"NodePublic":"x"})"})
    REQUIRE(stranger.ask("POST", "/verify", bad).status == 400);
  for (const char* bad : {"", "{", "[]"}) REQUIRE(stranger.ask("POST", "/ping/x", bad).status == 400);
  for (const auto& [path, size] : {std::pair{"/verify", (1 << 20) + 1}, std::pair{"/a/x", 4097}}) {
    test::Pair& pair = world.connect(0, ClientMode::http1);
    pair.client_reads = false;
    const std::string head = "POST " + std::string(path) +
                             " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
    pair.to_server.insert(pair.to_server.end(), head.begin(), head.end());
    world.run();
    REQUIRE(std::string(pair.to_client.begin(), pair.to_client.end()).starts_with("HTTP/1.1 413 "));
  }
}

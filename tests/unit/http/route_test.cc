// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/http/route.h"

#include "support/catch.h"

using namespace ts2021;

namespace {

constexpr Route routes[] = {
    {RouteId{1}, Site::noise, Method::post, "/machine/register", 1 << 20},
    {RouteId{2}, Site::noise, Method::get, "/machine/ssh/action/{}/to/{}", 0},
    {RouteId{3}, Site::outer, Method::get, "/key", 0},
    {RouteId{4}, Site::outer, Method::post, "/machine/{}/map", 1 << 20},
    {RouteId{5}, Site::outer, Method::post, "/machine/{}", 1 << 20},
};

RouteMatch find(Site site, Method method, std::string_view path) {
  return match_route(routes, site, method, path);
}

}  // namespace

TEST_CASE("routes match by site, method and whole segments") {
  using Kind = RouteMatch::Kind;
  REQUIRE(find(Site::noise, Method::post, "/machine/register").id == RouteId{1});
  REQUIRE(find(Site::outer, Method::post, "/machine/register").id == RouteId{5});
  const RouteMatch action = find(Site::noise, Method::get, "/machine/ssh/action/7/to/abc");
  REQUIRE(action.kind == Kind::found);
  REQUIRE(action.args[0] == "7");
  REQUIRE(action.args[1] == "abc");
  REQUIRE(find(Site::noise, Method::get, "/machine/ssh/action//to/abc").kind == Kind::unknown);
  REQUIRE(find(Site::noise, Method::get, "/machine/ssh/action/7/to/abc/d").kind == Kind::unknown);
  REQUIRE(find(Site::outer, Method::post, "/machine/00/map").id == RouteId{4});
  REQUIRE(find(Site::outer, Method::head, "/key").id == RouteId{3});
  const RouteMatch wrong = find(Site::outer, Method::put, "/key");
  REQUIRE(wrong.kind == Kind::wrong_method);
  REQUIRE(wrong.allowed_count == 1);
  REQUIRE(wrong.allowed[0] == Method::get);
  REQUIRE(find(Site::outer, Method::get, "/Key").kind == Kind::unknown);
}

TEST_CASE("targets are split in origin and absolute form") {
  std::string_view path, query;
  REQUIRE(split_target("/key?v=1", path, query));
  REQUIRE(path == "/key");
  REQUIRE(query == "v=1");
  REQUIRE(split_target("http://h:1/ts2021", path, query));
  REQUIRE(path == "/ts2021");
  REQUIRE(query.empty());
  REQUIRE(split_target("https://[::1]:8/a?b?c", path, query));
  REQUIRE(query == "b?c");
  for (const std::string_view bad : {"", "key", "*", "http://h", "h:443", "://x/", "http://h?x"})
    REQUIRE_FALSE(split_target(bad, path, query));
}

TEST_CASE("query values: first wins, absent is told from empty") {
  REQUIRE(query_value("v=1&v=2", "v") == "1");
  REQUIRE(query_value("a=&v=%2B", "v") == "%2B");
  REQUIRE(query_value("v", "v").empty());
  REQUIRE(query_value("v", "v").data() != nullptr);
  REQUIRE(query_value("vv=1&x", "v").data() == nullptr);
  REQUIRE(query_value("&&v=3", "v") == "3");
}

// SPDX-License-Identifier: BSD-3-Clause
// The description: made from the table, and every reference in it leads somewhere.
#include <set>

#include "admin/calls.h"
#include "admin/schemas.h"
#include "json/reader.h"
#include "support/admin_site.h"
#include "support/catch.h"

using namespace ts2021;
using namespace ts2021::admin;

namespace {

json::Value member(const json::Value& object, std::string_view name) {
  REQUIRE(object.type() == json::Type::object);
  json::ObjectCursor cursor(object);
  std::string_view found;
  for (json::Value value; cursor.next(found, value);)
    if (found == name) return value;
  FAIL("no member " << name);
  return {};
}

std::set<std::string> names(const json::Value& object) {
  std::set<std::string> out;
  json::ObjectCursor cursor(object);
  std::string_view name;
  for (json::Value value; cursor.next(name, value);) CHECK(out.insert(std::string(name)).second);
  return out;
}

void collect_references(const json::Value& value, std::set<std::string>& out) {
  if (value.type() == json::Type::array) {
    json::ArrayCursor cursor(value);
    for (json::Value item; cursor.next(item);) collect_references(item, out);
  } else if (value.type() == json::Type::object) {
    json::ObjectCursor cursor(value);
    std::string_view name, text;
    for (json::Value item; cursor.next(name, item);) {
      if (name == "$ref" && item.get(text)) out.insert(std::string(text));
      collect_references(item, out);
    }
  }
}

}  // namespace

TEST_CASE("Every row is described, and every reference leads to a schema that is used") {
  json::Document document;
  const std::string text = Desk::openapi();
  const auto root = document.parse_copy(as_bytes(text));
  REQUIRE(root);
  const auto schemas = names(member(member(*root, "components"), "schemas"));
  std::set<std::string> references;
  collect_references(*root, references);
  std::set<std::string> used;
  for (const std::string& reference : references) {
    constexpr std::string_view prefix = "#/components/schemas/";
    REQUIRE(reference.starts_with(prefix));
    used.insert(reference.substr(prefix.size()));
  }
  CHECK(used == schemas);

  const json::Value paths = member(*root, "paths");
  std::set<std::string> operations;
  std::size_t count = 0;
  for (const std::string& path : names(paths)) {
    const json::Value item = member(paths, path);
    for (const std::string& method : names(item)) {
      ++count;
      const json::Value operation = member(item, method);
      std::string_view id;
      REQUIRE(member(operation, "operationId").get(id));
      CHECK(operations.insert(std::string(id)).second);
      // The parameters of the path are exactly its holes.
      std::set<std::string> holes, named;
      for (std::size_t at = path.find('{'); at != path.npos; at = path.find('{', at + 1))
        CHECK(holes.insert(path.substr(at + 1, path.find('}', at) - at - 1)).second);
      json::ArrayCursor parameters(member(operation, "parameters"));
      for (json::Value parameter; parameters.next(parameter);) {
        std::string_view in, name;
        REQUIRE(member(parameter, "in").get(in));
        REQUIRE(member(parameter, "name").get(name));
        if (in == "path") named.insert(std::string(name));
      }
      CHECK(named == holes);
      CHECK(names(member(operation, "responses")).size() >= 2);
    }
  }
  CHECK(count == rows().size());
  test::AdminSite site;
  const auto served = site.call("GET", "/admin/openapi.json");
  CHECK(served.body == text);
  CHECK(served.content_type == "application/json");
}

TEST_CASE("Rows name schemas that exist, and members that their handlers know") {
  for (const Row& row : rows()) {
    INFO(text(row.method) << " " << row.pattern);
    CHECK((row.request.empty() || find_schema(row.request)));
    CHECK((row.response.empty() || find_schema(row.response)));
    CHECK(row.summary.size() > 4);
  }
  // Whatever else is wrong with such a body, no handler calls a described member unknown.
  test::AdminSite site;
  test::SiteNode a(site, 1);
  a.enroll();
  a.start_poll();
  site.advance(std::chrono::seconds{1});
  for (const Row& row : rows()) {
    const Schema* const schema = find_schema(row.request);
    if (!schema || schema->members.empty() || row.pattern == "/admin/reset") continue;
    for (const SchemaMember& one : schema->members) {
      std::string path(row.pattern);
      for (std::size_t at; (at = path.find("{}")) != path.npos;) path.replace(at, 2, a.key());
      const auto answer =
          site.answer(site.begin(text(row.method), path, "{\"" + std::string(one.name) + "\":17}"));
      INFO(text(row.method) << " " << path << " " << one.name);
      if (answer) CHECK_FALSE(test::contains(answer->body, std::string(one.name) + "\\\" is not a known"));
    }
  }
}

TEST_CASE("Answers have the members that the description says") {
  test::AdminSite site;
  json::Document document;
  for (const auto& [path, schema] :
       std::vector<std::pair<std::string, std::string>>{{"/admin/config", "Config"},
                                                        {"/admin/stats", "Stats"},
                                                        {"/admin/events?timeout=0s", "Events"},
                                                        {"/admin/clock", "Clock"},
                                                        {"/admin/alt-map", "AltMap"},
                                                        {"/admin/alt-map/streams?timeout=0s", "Streams"}}) {
    const auto answer = site.call("GET", path);
    const auto value = document.parse_copy(as_bytes(answer.body));
    REQUIRE(value);
    std::set<std::string> described;
    for (const SchemaMember& one : find_schema(schema)->members) described.insert(std::string(one.name));
    CHECK(names(*value) == described);
  }
}

// SPDX-License-Identifier: BSD-3-Clause
#include "json/hujson.h"

#include "json/locate.h"
#include "support/catch.h"

using namespace ts2021;

namespace {

std::string blanked(std::string text) {
  CHECK_FALSE(json::blank_extras(text));
  return text;
}

struct Padded {
  std::string text;
  std::size_t size;
  explicit Padded(std::string_view from) : text(from), size(from.size()) { text.append(json::padding, ' '); }
  [[nodiscard]] Bytes bytes() const { return as_bytes(text).first(size); }
};

}  // namespace

TEST_CASE("json: comments and trailing commas become spaces") {
  CHECK(blanked("[1, // one\n 2, /* two */ ]") == "[1,       \n 2            ]");
  CHECK(blanked("{\"a\":[],}") == "{\"a\":[] }");
  CHECK(blanked("[1, /* x */ , // y\n]") == "[1,         ,     \n]");  // two commas stay wrong
  CHECK(blanked("[,]") == "[,]");
  CHECK(blanked("{,}") == "{,}");
  CHECK(blanked("/**/[/***/]//") == "    [     ]  ");
  CHECK(blanked("/* a\r\n b */1") == "    \r\n     1");
}

TEST_CASE("json: text in quotes is left alone") {
  CHECK(blanked("[\"// no\", \"/* no */,]\", \"\\\"//\",]") == "[\"// no\", \"/* no */,]\", \"\\\"//\" ]");
  CHECK(blanked("\"\\\\\"//x") == "\"\\\\\"   ");
}

TEST_CASE("json: what never ends is told with its beginning") {
  const auto endless = [](std::string text) { return json::blank_extras(text).value_or(999); };
  CHECK(endless("[1, /* x ]") == 4);
  CHECK(endless("[\"abc") == 1);
  CHECK(endless("[\"abc\n\"]") == 1);
  CHECK(endless("[\"abc\\\"]") == 1);
  CHECK(endless("[/*/]") == 1);
  CHECK(endless("[1] / 2") == 999);  // for the JSON reader to refuse
}

TEST_CASE("json: a value's place in the text") {
  const Padded text("{\"a\": [10, {\"b\": \"x\", \"c\":  true}], \"a\": {}}");
  const auto at = [&text](std::vector<std::uint32_t> path, bool name = false) {
    return json::locate(text.bytes(), path, name);
  };
  CHECK(at({}) == 0);
  CHECK(at({0}) == 6);
  CHECK(at({0}, true) == 1);
  CHECK(at({0, 0}) == 7);
  CHECK(at({0, 1, 0}) == 17);
  CHECK(at({0, 1, 1}) == 28);
  CHECK(at({0, 1, 1}, true) == 22);
  CHECK(at({1}) == 41);
  CHECK(at({1}, true) == 36);
}

TEST_CASE("json: where a text breaks off") {
  const auto at = [](std::string_view text) { return json::broken_at(Padded(text).bytes()); };
  CHECK(at("[1 2]") == 3);
  CHECK(at("{\"a\" 1}") == 5);
  CHECK(at("[1,\n tru]") == 5);
  CHECK(at("{} x") == 3);
  CHECK(at("[1,]") == 3);
  CHECK(at("[1]\n\xff") == 4);
  CHECK(at("") == 0);
  CHECK(at("[[1,2") <= 5);
  CHECK(at(std::string(100, '[')) <= 100);
}

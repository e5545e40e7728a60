// SPDX-License-Identifier: BSD-3-Clause
#include "json/reader.h"

#include <limits>
#include <string>

#include "support/catch.h"

namespace ts2021 {
namespace {

using json::Document, json::Type, json::Value;

Result<Value> parse(Document& document, std::string_view text) { return document.parse_copy(as_bytes(text)); }

TEST_CASE("json reader: values and their types") {
  Document document;
  auto root = parse(document, R"([null,true,-5,18446744073709551615,1.5,"a\u00e9\n",[],{"k":1,"k":2}])");
  REQUIRE(root);
  json::ArrayCursor items(*root);
  REQUIRE(items.count() == 8);
  Value item;
  std::int64_t small = 7;
  std::uint64_t big = 7;
  double number = 0;
  bool flag = false;
  std::string_view text;

  REQUIRE(items.next(item));
  CHECK(item.is_null());
  CHECK_FALSE(item.get(flag));
  REQUIRE(items.next(item));
  CHECK(item.type() == Type::boolean);
  CHECK((item.get(flag) && flag));
  CHECK_FALSE(item.get(small));
  REQUIRE(items.next(item));
  CHECK(item.type() == Type::integer);
  CHECK((item.get(small) && small == -5));
  CHECK_FALSE(item.get(big));
  CHECK((item.get(number) && number == -5.0));
  REQUIRE(items.next(item));
  CHECK(item.type() == Type::integer);
  CHECK((item.get(big) && big == std::numeric_limits<std::uint64_t>::max()));
  CHECK_FALSE(item.get(small));
  CHECK(small == -5);  // unchanged by the failure
  REQUIRE(items.next(item));
  CHECK(item.type() == Type::floating);
  CHECK((item.get(number) && number == 1.5));
  CHECK_FALSE(item.get(small));
  REQUIRE(items.next(item));
  CHECK((item.get(text) && text == "a\xc3\xa9\n"));
  REQUIRE(items.next(item));
  CHECK(item.type() == Type::array);
  CHECK(json::ArrayCursor(item).count() == 0);
  CHECK_FALSE(json::ArrayCursor(item).next(item));
  REQUIRE(items.next(item));
  REQUIRE(item.type() == Type::object);
  json::ObjectCursor members(item);
  Value value;
  REQUIRE(members.next(text, value));
  CHECK((text == "k" && value.get(small) && small == 1));
  REQUIRE(members.next(text, value));
  CHECK((text == "k" && value.get(small) && small == 2));
  CHECK_FALSE(members.next(text, value));
  CHECK_FALSE(items.next(item));
}

TEST_CASE("json reader: refuses what is not JSON") {
  Document document;
  for (const std::string_view text : {"",
                                      " ",
                                      "tru",
                                      "{\"a\":}",
                                      "{\"a\" 1}",
                                      "[1,]",
                                      "{,}",
                                      "[1] 2",
                                      "\"\x01\"",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\\ud800\"",
                                      "\"\\x\"",
                                      "01",
                                      "1.",
                                      "+1",
                                      "NaN",
                                      "1e999",
                                      "123456789012345678901234567890",
                                      "{\"a\":1",
                                      "\"open",
                                      "[\"Junk\":tru]",
                                      "{\"Junk\":tru}",
                                      "nul",
                                      "\xef\xbb\xbf{}x",
                                      "{'a':1}"}) {
    INFO(text);
    auto value = parse(document, text);
    REQUIRE_FALSE(value);
    CHECK(value.error().code == Errc::bad_json);
    CHECK(value.error().origin == 503);
  }
  CHECK(parse(document, "{}"));  // an error does not stick
}

TEST_CASE("json reader: depth is limited to 64") {
  Document document;
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse(document, nested(json::max_depth - 1)));
  CHECK_FALSE(parse(document, nested(json::max_depth + 1)));
  CHECK_FALSE(parse(document, nested(1'000'000)));
  const std::string objects = [] {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += "{\"a\":";
    return text;
  }();
  CHECK_FALSE(parse(document, objects));
}

TEST_CASE("json reader: padded text is read in place and may go") {
  Document document;
  std::string text = R"({"a":"b"})";
  const std::size_t size = text.size();
  text.append(json::padding, '"');
  auto root = document.parse(as_bytes(text).first(size));
  REQUIRE(root);
  text.assign(text.size(), 'x');
  json::ObjectCursor members(*root);
  std::string_view name, value;
  Value item;
  REQUIRE(members.next(name, item));
  CHECK(name == "a");
  CHECK((item.get(value) && value == "b"));
}

}  // namespace
}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
#include "json/writer.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "support/catch.h"

namespace ts2021 {
namespace {

using json::Document, json::Writer;

std::string quoted(std::string_view text) {
  std::string out;
  Writer(out).string(text);
  return out;
}

TEST_CASE("json writer: commas") {
  std::string out = "before}";
  Writer writer(out);
  writer.begin_object();
  writer.name("a");
  writer.begin_array();
  writer.integer(std::int64_t{-1});
  writer.string("[");
  writer.string("{");
  writer.begin_array();
  writer.end_array();
  writer.begin_object();
  writer.end_object();
  writer.null();
  writer.end_array();
  writer.name("b\"");
  writer.boolean(false);
  writer.name("c");
  writer.begin_object();
  writer.end_object();
  writer.end_object();
  writer.flush();
  CHECK(out == R"(before}{"a":[-1,"[","{",[],{},null],"b\"":false,"c":{}})");
}

TEST_CASE("json writer: pieces of every size around the edge of its block") {
  std::string expected = "[", out;
  {
    Writer writer(out);
    writer.begin_array();
    for (std::size_t size = 0; size < 2200; size += 1 + size / 40) {
      const std::string text(size, 'x'), quote = "\"" + text + "\"";
      writer.string(text);
      writer.raw(quote);
      writer.integer(std::uint64_t{size});
      writer.string(text + "\n");
      expected +=
          (size == 0 ? "" : ",") + quote + "," + quote + "," + std::to_string(size) + ",\"" + text + "\\n\"";
    }
    writer.end_array();
  }
  CHECK(out == expected + "]");
}

TEST_CASE("json writer: what needs an escape is found at every place of a text") {
  for (std::size_t size = 1; size < 20; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int byte = 0; byte < 0x80; ++byte) {
        std::string text(size, 'x'), expected;
        text[at] = static_cast<char>(byte);
        for (const char c : text) {
          char escaped[8];
          if (c == '"' || c == '\\')
            expected += std::string("\\") + c;
          else if (c == '\n' || c == '\r' || c == '\t')
            expected += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
          else if (static_cast<unsigned char>(c) < 0x20)
            expected.append(escaped, static_cast<std::size_t>(std::snprintf(escaped, 8, "\\u%04x", c)));
          else
            expected += c;
        }
        REQUIRE((quoted(text) == "\"" + expected + "\""));
      }
}

TEST_CASE("json writer: escapes only what it must") {
  CHECK(quoted("") == R"("")");
  CHECK(quoted("a/b<>&'\x7f") == "\"a/b<>&'\x7f\"");
  CHECK(quoted("é世😀") == "\"é世😀\"");
  CHECK(quoted("\"\\\n\r\t\b\x01\x1f") == R"("\"\\\n\r\t\u0008\u0001\u001f")");
  CHECK(quoted(std::string_view("\0", 1)) == R"("\u0000")");
}

TEST_CASE("json writer: invalid UTF-8 is replaced byte by byte") {
  const std::string r = "\xef\xbf\xbd";
  CHECK(quoted("a\xff\x62") == "\"a" + r + "b\"");
  CHECK(quoted("\xc0\x80") == "\"" + r + r + "\"");                  // overlong
  CHECK(quoted("\xed\xa0\x80") == "\"" + r + r + r + "\"");          // a surrogate
  CHECK(quoted("\xf4\x90\x80\x80") == "\"" + r + r + r + r + "\"");  // above U+10FFFF
  CHECK(quoted("\xe4\xb8") == "\"" + r + r + "\"");                  // cut
  CHECK(quoted("\xf0\x9f\x98") == "\"" + r + r + r + "\"");
  CHECK(quoted("\xe4\xb8\x22") == "\"" + r + r + "\\\"\"");
}

TEST_CASE("json writer: numbers read back the same") {
  const auto number = [](double value) {
    std::string out;
    Writer(out).floating(value);
    return out;
  };
  CHECK(number(0.5) == "0.5");
  CHECK(number(900) == "900");
  CHECK(number(std::numeric_limits<double>::infinity()) == "0");
  CHECK(number(std::nan("")) == "0");
  Document document;
  std::mt19937_64 random(3);
  for (int i = 0; i < 1000; ++i) {
    const double value =
        std::ldexp(static_cast<double>(random()) - 9e18, static_cast<int>(random() % 400) - 200);
    const std::string text = number(value);
    auto root = document.parse_copy(as_bytes(text));
    double back = 0;
    REQUIRE(root);
    REQUIRE(root->get(back));
    REQUIRE(back == value);
  }
  std::string out;
  Writer writer(out);
  writer.begin_array();
  writer.integer(std::numeric_limits<std::int64_t>::min());
  writer.integer(std::numeric_limits<std::uint64_t>::max());
  writer.end_array();
  writer.flush();
  CHECK(out == "[-9223372036854775808,18446744073709551615]");
}

TEST_CASE("json writer: any bytes become text that reads back") {
  Document document;
  std::mt19937_64 random(5);
  for (int i = 0; i < 2000; ++i) {
    std::string text(random() % 24, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const std::string once = quoted(text);
    auto root = document.parse_copy(as_bytes(once));
    REQUIRE(root);
    std::string_view back;
    REQUIRE(root->get(back));
    REQUIRE(quoted(back) == once);
  }
}

TEST_CASE("json writer: a value is written without spaces and needless escapes") {
  Document document;
  auto root =
      document.parse_copy(as_bytes(R"( { "a" : [ 1 , 2.50, "\u003c\/\u00e9" , null,true ], "" : { } } )"));
  REQUIRE(root);
  CHECK(json::written(*root) == R"({"a":[1,2.5,"</é",null,true],"":{}})");
}

}  // namespace
}  // namespace ts2021

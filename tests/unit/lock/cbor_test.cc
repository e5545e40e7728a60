// SPDX-License-Identifier: BSD-3-Clause
#include "lock/cbor.h"

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/lock/update.h"

using namespace ts2021;
using lock::AUM;
using lock::AUMHash;
using lock::cbor::Kind;
using lock::cbor::Reader;
using lock::cbor::Writer;
using test::unhex;

TEST_CASE("LCK-1 integers, bytes and text of all sizes come back, in the shortest form") {
  struct Row {
    std::uint64_t value;
    std::string_view encoded;
  };
  for (const Row& row : {Row{0, "00"},
                         {23, "17"},
                         {24, "1818"},
                         {255, "18ff"},
                         {256, "190100"},
                         {65536, "1a00010000"},
                         {0xffffffff, "1affffffff"},
                         {0x100000000, "1b0000000100000000"},
                         {~std::uint64_t{0}, "1bffffffffffffffff"}}) {
    Writer out;
    out.unsigned_integer(row.value);
    const auto bytes = out.take();
    CHECK(test::hex(bytes) == row.encoded);
    CHECK(*Reader(bytes).unsigned_integer() == row.value);
  }
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 23, 24, 255, 256, 70000}) {
    Writer out;
    out.bytes(test::Buffer(size, 0xff));
    out.text(std::string(size, 'x'));
    out.null();
    const auto bytes = out.take();
    Reader in(bytes);
    CHECK(in.bytes()->size() == size);
    CHECK(*in.text() == std::string(size, 'x'));
    CHECK(in.null());
    CHECK_FALSE(in.null());
  }
}

TEST_CASE("LCK-1 other types, endless and cut items are refused") {
  for (const std::string_view item : {"",           "20",
                                      "f4",         "f5",
                                      "f7",         "f93c00",
                                      "fa3f800000", "fb3ff0000000000000",
                                      "c100",       "5f4100ff",
                                      "7f6161ff",   "9f01ff",
                                      "bf0101ff",   "ff",
                                      "1c",         "18",
                                      "42",         "4261",
                                      "62",         "e0",
                                      "f818",       "5bffffffffffffffff"}) {
    INFO(item);
    const auto bytes = unhex(item);
    CHECK_FALSE(Reader(bytes).unsigned_integer());
    CHECK_FALSE(Reader(bytes).bytes());
    CHECK_FALSE(Reader(bytes).text());
    CHECK_FALSE(Reader(bytes).count(Kind::list, 100));
    CHECK_FALSE(Reader(bytes).count(Kind::map, 100));
    CHECK_FALSE(Reader(bytes).null());
  }
  CHECK(Reader(unhex("62c3a4")).text());
  CHECK_FALSE(Reader(unhex("61c3")).text());  // half a character
}

TEST_CASE("LCK-1 what a list claims to hold costs nothing") {
  for (const std::string_view item : {"9bffffffffffffffff", "bbffffffffffffffff", "9a00100000", "990201"}) {
    const auto bytes = unhex(item);
    Reader in(bytes);
    const auto count = in.count(item[0] == '9' ? Kind::list : Kind::map, 512);
    REQUIRE_FALSE(count);
    CHECK(count.error().code == Errc::limit_exceeded);
  }
  // In an update: more signatures than keys can be trusted.
  const auto update = AUM::decode(unhex("a3010302f61799ffff"));
  REQUIRE_FALSE(update);
  CHECK(update.error() == fail(Errc::limit_exceeded, 1204));
}

TEST_CASE("LCK-4 the text of a hash is 52 characters, and only one text per hash") {
  CHECK(AUMHash{}.text() == std::string(52, 'A'));
  test::SeededEntropy entropy;
  for (int i = 0; i < 200; ++i) {
    AUMHash hash;
    entropy.fill(hash.bytes);
    const std::string text = hash.text();
    REQUIRE(text.size() == AUMHash::text_size);
    CHECK(*AUMHash::parse(text) == hash);
    std::string changed = text;
    changed[static_cast<std::size_t>(i % 51)] = text[static_cast<std::size_t>(i % 51)] == 'A' ? 'B' : 'A';
    CHECK(*AUMHash::parse(changed) != hash);
  }
  AUMHash full;
  full.bytes.fill(0xff);
  CHECK(full.text() == std::string(51, '7') + "Q");
  for (const std::string& wrong :
       {std::string(), std::string(51, 'A'), std::string(53, 'A'), std::string(52, 'a'), std::string(52, '='),
        std::string(51, 'A') + "1", std::string(51, 'A') + "B", std::string(51, '7') + "7",
        std::string(52, '\0')}) {
    INFO(wrong);
    const auto parsed = AUMHash::parse(wrong);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::bad_lock_update);
  }
}

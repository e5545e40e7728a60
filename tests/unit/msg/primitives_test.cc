// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/primitives.h"

#include <arpa/inet.h>

#include <random>
#include <string>

#include "msg/base64.h"
#include "support/catch.h"
#include "support/support.h"

namespace ts2021 {
namespace {

TEST_CASE("primitives: addresses in canonical text") {
  const std::pair<const char*, const char*> rows[] = {
      {"0.0.0.0", "0.0.0.0"},
      {"100.64.0.1", "100.64.0.1"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"fd7a:115c:a1e0:ab12:4843:cd96:6240:1", "fd7a:115c:a1e0:ab12:4843:cd96:6240:1"},
      {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
      {"::ffff:102:304", "::ffff:1.2.3.4"},
      {"1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"},
      {"fe80::1%eth0", "fe80::1"},
  };
  for (const auto& [in, out] : rows) {
    INFO(in);
    auto address = IpAddress::parse(in);
    REQUIRE(address);
    CHECK(address->text() == out);
  }
  CHECK(IpAddress::parse("fe80::1%eth0")->has_zone());
  CHECK(IpAddress::parse("fe80::1")->is_link_local());
  CHECK(IpAddress::parse("169.254.1.1")->is_link_local());
  CHECK_FALSE(IpAddress::parse("fec0::1")->is_link_local());
  CHECK(IpAddress{}.text().empty());
  CHECK(IpAddress::v4(0x64400001).text() == "100.64.0.1");
}

TEST_CASE("primitives: what is no address") {
  for (const char* text : {"",
                           " ",
                           "1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "1.2.3.04",
                           "1.2.3.256",
                           "1.2.3.-4",
                           "1.2.3.4 ",
                           "a.b.c.d",
                           ":",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1::2::3",
                           "12345::",
                           "g::",
                           "::1.2.3",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "1.2.3.4%eth0",
                           "fe80::1%",
                           "[::1]",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::0x1",
                           "1:",
                           ":1",
                           "1:2:3:4:5:6:7:",
                           "0x1.2.3.4"}) {
    INFO(text);
    CHECK_FALSE(IpAddress::parse(text));
  }
}

TEST_CASE("primitives: the address parser agrees with the C library") {
  std::mt19937_64 random(11);
  constexpr std::string_view letters = "0123456789abcf:.::";
  std::size_t good = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text(random() % 12 + 2, '0');
    for (char& c : text) c = letters[random() % letters.size()];
    std::uint8_t raw[16];
    const int family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
    const bool expected = inet_pton(family, text.c_str(), raw) == 1;
    const auto address = IpAddress::parse(text);
    INFO(text);
    REQUIRE(address.has_value() == expected);
    if (!expected) continue;
    ++good;
    char printed[INET6_ADDRSTRLEN];
    REQUIRE(Bytes(raw, address->bytes().size()).size() == address->bytes().size());
    REQUIRE(std::equal(address->bytes().begin(), address->bytes().end(), raw));
    auto again = IpAddress::parse(address->text());
    REQUIRE(again);
    REQUIRE(*again == *address);
    REQUIRE(inet_ntop(family, raw, printed, sizeof printed) != nullptr);
    // The C library also prints the long-dead form ::1.2.3.4.
    if (std::string_view(printed).find('.') == std::string_view::npos) {
      REQUIRE(address->text() == printed);
    }
  }
  CHECK(good > 1000);
}

TEST_CASE("primitives: prefixes") {
  auto prefix = IpPrefix::parse("100.64.0.1/32");
  REQUIRE(prefix);
  CHECK(prefix->is_host());
  CHECK(*prefix == IpPrefix::host(IpAddress::v4(0x64400001)));
  CHECK(IpPrefix::parse("10.1.2.3/8")->masked().text() == "10.0.0.0/8");
  CHECK(IpPrefix::parse("10.1.2.3/0")->masked().text() == "0.0.0.0/0");
  CHECK(IpPrefix::parse("2001:db8:ffff::1/33")->masked().text() == "2001:db8:8000::/33");
  CHECK(IpPrefix::parse("10.0.0.0/8")->contains(*IpAddress::parse("10.255.0.1")));
  CHECK_FALSE(IpPrefix::parse("10.0.0.0/8")->contains(*IpAddress::parse("11.0.0.1")));
  CHECK_FALSE(IpPrefix::parse("::/0")->contains(*IpAddress::parse("11.0.0.1")));
  CHECK(IpPrefix::parse("")->is_none());
  for (const char* text : {"1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "::/129", "1.2.3.4/-1", "1.2.3.4/08", "/8",
                           "fe80::1%eth0/64", "1.2.3.4/8/8", "1.2.3.4/ 8"}) {
    INFO(text);
    CHECK_FALSE(IpPrefix::parse(text));
  }
}

TEST_CASE("primitives: endpoints") {
  CHECK(IpPort::parse("192.0.2.1:41641")->text() == "192.0.2.1:41641");
  CHECK(IpPort::parse("[2001:db8::1]:0")->text() == "[2001:db8::1]:0");
  CHECK(IpPort::parse("[fe80::1%en0]:1")->address.has_zone());
  CHECK(IpPort::parse("")->is_none());
  for (const char* text : {"1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "::1:80", "[1.2.3.4]:80", "[::1]",
                           "host:80", "1.2.3.4:080", "[::1:80", "1.2.3.4:8a"}) {
    INFO(text);
    CHECK_FALSE(IpPort::parse(text));
  }
}

TEST_CASE("primitives: times") {
  const std::pair<const char*, const char*> rows[] = {
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
      {"1970-01-01T00:02:03Z", "1970-01-01T00:02:03Z"},
      {"2026-01-02T03:04:05.6789Z", "2026-01-02T03:04:05.678Z"},
      {"2026-01-02T03:04:05.120000001Z", "2026-01-02T03:04:05.12Z"},
      {"2026-01-02T03:04:05+01:30", "2026-01-02T01:34:05Z"},
      {"2026-01-01T00:00:00-00:01", "2026-01-01T00:01:00Z"},
      {"2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"},
      {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
      {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"},
  };
  for (const auto& [in, out] : rows) {
    INFO(in);
    auto time = Time::parse(in);
    REQUIRE(time);
    CHECK(time->text() == out);
  }
  CHECK(Time{}.is_zero());
  CHECK(Time::parse("0001-01-01T00:00:00Z")->is_zero());
  CHECK(Time::parse("1970-01-01T00:00:01Z")->at == WallTime(std::chrono::seconds(1)));
  CHECK(Time(WallTime(std::chrono::hours(24 * 365 * 20'000L))).text() == "9999-12-31T23:59:59.999Z");
  CHECK(Time(WallTime(-std::chrono::hours(24 * 365 * 20'000L))).text() == "0000-01-01T00:00:00Z");
  CHECK(Time(WallTime(std::chrono::milliseconds(0)), 1).text() == "1970-01-01T00:00:00.000000001Z");
  CHECK(Time(WallTime(std::chrono::milliseconds(120)), 40).text() == "1970-01-01T00:00:00.12000004Z");
  for (const char* text :
       {"", "2026", "2026-01-02", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z",
        "2026-02-30T03:04:05Z", "2026-01-02T24:04:05Z", "2026-01-02T03:60:05Z", "2026-01-02T03:04:60Z",
        "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05+1:00", "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05z", "2026-01-02T03:04:05ZZ", "-026-01-02T03:04:05Z", "2026-00-02T03:04:05Z",
        "2026-01-02T03:04:05,5Z"}) {
    INFO(text);
    CHECK_FALSE(Time::parse(text));
  }
}

TEST_CASE("primitives: base64") {
  const std::pair<std::string, std::string> rows[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe", "//4="}};
  for (const auto& [bytes, text] : rows) {
    std::string out;
    append_base64(as_bytes(bytes), out);
    CHECK(out == text);
    std::vector<std::uint8_t> back;
    REQUIRE(parse_base64(text, back));
    CHECK(as_text(back) == bytes);
  }
  std::vector<std::uint8_t> out;
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "Z===", "Zg==Zg==", "Zm 9v", "Zm9v\n", "_-8="}) {
    INFO(text);
    CHECK_FALSE(parse_base64(text, out));
  }
}

TEST_CASE("primitives: raw JSON is minified and valid") {
  CHECK(RawJson::parse(R"( { "a" : [ 1, "\u003c" ] } )")->text() == R"({"a":[1,"<"]})");
  CHECK(RawJson{}.empty());
  for (const char* text : {"", "{", "1 2", "\"\xff\"", "tru"}) CHECK_FALSE(RawJson::parse(text));
}

}  // namespace
}  // namespace ts2021

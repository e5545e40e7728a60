// SPDX-License-Identifier: BSD-3-Clause
#include <random>
#include <set>

#include "policy/address_set.h"
#include "support/catch.h"

using namespace ts2021;
using namespace ts2021::policy;

namespace {

AddressRange range(std::string_view text) {
  const auto parsed = AddressRange::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

std::string text(const AddressSet& set) {
  std::string out;
  for (const AddressRange& one : set.ranges()) out += (out.empty() ? "" : " ") + one.text();
  return out;
}

}  // namespace

TEST_CASE("policy: ranges have the shortest text") {
  CHECK(range("10.1.2.3/8").text() == "10.0.0.0/8");
  CHECK(range("10.0.0.0-10.255.255.255").text() == "10.0.0.0/8");
  CHECK(range("10.0.0.1-10.0.0.2").text() == "10.0.0.1-10.0.0.2");
  CHECK(range("10.0.0.7").text() == "10.0.0.7");
  CHECK(range("0.0.0.0/0").text() == "0.0.0.0/0");
  CHECK(range("2001:db8::/32").text() == "2001:db8::/32");
  CHECK(range("2001:db8::1-2001:db8::1").text() == "2001:db8::1");
  for (const std::string_view bad : {"", "-", "10.0.0.2-10.0.0.1", "10.0.0.1-::1", "10.0.0.0/33", "host",
                                     "fe80::1%eth0", "10.0.0.1-", "1.2.3.4/"})
    CHECK_FALSE(AddressRange::parse(bad));
}

TEST_CASE("policy: a range is as few prefixes as possible") {
  std::string out;
  for (const IpPrefix& one : range("10.0.0.1-10.0.0.10").prefixes()) out += one.text() + " ";
  CHECK(out == "10.0.0.1/32 10.0.0.2/31 10.0.0.4/30 10.0.0.8/31 10.0.0.10/32 ");
  CHECK(range("0.0.0.0-255.255.255.255").prefixes().size() == 1);
  CHECK(range("0.0.0.1-255.255.255.254").prefixes().size() == 62);
  CHECK(range("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe").prefixes().size() == 254);
}

TEST_CASE("policy: sets of addresses") {
  AddressSet set;
  set.add(range("10.0.0.0/25"));
  set.add(range("10.0.0.128/25"));
  set.add(range("2001:db8::/64"));
  CHECK(text(set) == "10.0.0.0/24 2001:db8::/64");
  set.remove(range("10.0.0.5"));
  CHECK(text(set) == "10.0.0.0-10.0.0.4 10.0.0.6-10.0.0.255 2001:db8::/64");
  CHECK(set.contains(range("10.0.0.6-10.0.0.9")));
  CHECK_FALSE(set.contains(range("10.0.0.4-10.0.0.6")));
  CHECK(set.overlaps(range("10.0.0.4-10.0.0.6")));
  CHECK_FALSE(set.overlaps(range("10.0.0.5")));
  CHECK_FALSE(set.overlaps(range("11.0.0.0/8")));
  CHECK(set.common(range("10.0.0.4-10.0.0.6")).size() == 2);
  set.remove(range("0.0.0.0/0"));
  set.remove(range("::/0"));
  CHECK(set.empty());
  set.add(range("255.255.255.255"));
  set.add(range("::"));
  CHECK(set.count() == 2);  // the families don't touch
}

TEST_CASE("policy: a set of addresses is a set of addresses") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    AddressSet set;
    std::set<std::uint32_t> model;
    for (int step = 0; step < 30; ++step) {
      const std::uint32_t first = random() % 64, last = first + random() % 16;
      const AddressRange one{IpAddress::v4(first), IpAddress::v4(last)};
      const bool add = random() % 2 == 0;
      if (add)
        set.add(one);
      else
        set.remove(one);
      for (std::uint32_t at = first; at <= last; ++at) {
        if (add)
          model.insert(at);
        else
          model.erase(at);
      }
    }
    for (std::uint32_t at = 0; at < 90; ++at)
      REQUIRE(set.contains({IpAddress::v4(at), IpAddress::v4(at)}) == (model.count(at) != 0));
    const auto ranges = set.ranges();
    for (std::size_t i = 1; i < ranges.size(); ++i)  // apart, ascending
      REQUIRE(load_u32be(ranges[i - 1].last.bytes()) + 1 < load_u32be(ranges[i].first.bytes()));
  }
}

TEST_CASE("policy: the internet is what is nobody's own") {
  const AddressSet beyond = internet();
  for (const std::string_view in :
       {"8.8.8.8", "9.255.255.255", "11.0.0.0", "100.128.0.0", "172.32.0.0", "2001:4860::1"})
    CHECK(beyond.contains(range(in)));
  for (const std::string_view out : {"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16",
                                     "169.254.1.1", "fd7a:115c:a1e0::/48", "fe80::1", "::1"})
    CHECK_FALSE(beyond.overlaps(range(out)));
}

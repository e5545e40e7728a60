// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/coord/address.h"

#include <algorithm>
#include <set>

#include "support/catch.h"
#include "support/support.h"

namespace ts2021::test {
namespace {

constexpr Ipv4Address v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return {(a << 24) | (b << 16) | (c << 8) | d};
}

}  // namespace

TEST_CASE("API-30: the IPv6 address holds the low 24 bits of the IPv4 address") {
  CHECK(hex(mapped_v6(v4(100, 64, 0, 1))) == "fd7a115ca1e0ab124843cd9662400001");
  CHECK(hex(mapped_v6(v4(100, 101, 102, 103))) == "fd7a115ca1e0ab124843cd9662656667");
  CHECK(v4(100, 101, 102, 103).text() == "100.101.102.103");
}

TEST_CASE("API-31: reserved addresses are not assignable") {
  CHECK(is_assignable(v4(100, 64, 0, 1)));
  CHECK(is_assignable(v4(100, 127, 255, 254)));
  for (const auto bad :
       {v4(100, 64, 0, 0), v4(100, 127, 255, 255), v4(100, 100, 100, 100), v4(100, 115, 92, 0),
        v4(100, 115, 93, 255), v4(100, 63, 255, 255), v4(100, 128, 0, 1), v4(10, 0, 0, 1), Ipv4Address{}})
    CHECK(!is_assignable(bad));
  CHECK(is_assignable(v4(100, 115, 91, 255)));
  CHECK(is_assignable(v4(100, 115, 94, 0)));
}

TEST_CASE("no address is given out twice") {
  SeededEntropy entropy(7);
  AddressPool pool;
  std::set<Ipv4Address> seen;
  for (int i = 0; i < 20'000; ++i) {
    const auto got = pool.allocate(entropy);
    REQUIRE(got);
    REQUIRE(is_assignable(*got));
    REQUIRE(seen.insert(*got).second);
    REQUIRE(!pool.take(*got));
  }
  CHECK(pool.taken_count() == 20'000);
}

TEST_CASE("reserved neighbours are stepped over") {
  // The start of every search is the resolver's address.
  const std::uint32_t offset = v4(100, 100, 100, 100).value - v4(100, 64, 0, 0).value;
  Buffer bytes;
  for (int i = 0; i < 2; ++i)
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(offset >> shift));
  FixedEntropy entropy(bytes);
  AddressPool pool;
  CHECK(pool.allocate(entropy) == v4(100, 100, 100, 101));
  CHECK(pool.allocate(entropy) == v4(100, 100, 100, 102));
}

TEST_CASE("API-32: a released address rests before it is given out again") {
  FixedEntropy entropy(Buffer(100'000, 0));
  AddressPool pool;
  const auto first = pool.allocate(entropy);
  REQUIRE(first == v4(100, 64, 0, 1));
  pool.release(*first, true);
  CHECK(pool.taken_count() == 0);
  CHECK(pool.allocate(entropy) == v4(100, 64, 0, 2));
  pool.release(v4(100, 64, 0, 2), false);
  CHECK(pool.allocate(entropy) == v4(100, 64, 0, 2));
  // Enough others push it out of its rest.
  for (std::uint32_t i = 0; i < AddressPool::max_quarantine; ++i) {
    const Ipv4Address other{v4(100, 90, 0, 0).value + i};
    REQUIRE(pool.take(other));
    pool.release(other, true);
  }
  CHECK(pool.allocate(entropy) == *first);
}

TEST_CASE("an address that rests may be taken back by its node") {
  AddressPool pool;
  const auto mine = v4(100, 70, 0, 1);
  REQUIRE(pool.take(mine));
  CHECK(!pool.take(mine));
  pool.release(mine, true);
  CHECK(pool.take(mine));
  CHECK(!pool.take(mine));
}

}  // namespace ts2021::test

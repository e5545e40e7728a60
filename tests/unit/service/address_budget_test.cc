// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/service/address_budget.h"

#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;
using namespace std::chrono_literals;

namespace {

AddressKey v4(std::uint8_t last, std::uint8_t third = 0) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, third, last};
}
AddressKey v6(std::uint8_t network, std::uint8_t host) {
  AddressKey key{0x20, 0x01, 0x0d, 0xb8};
  key[7] = network;
  key[15] = host;
  return key;
}

}  // namespace

TEST_CASE("row 45: an address that floods is refused, others are not") {
  AddressBudget budget({.per_second = 10, .burst = 20, .max_addresses = 100});
  test::Clock clock;
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += budget.admit(v4(1), clock.now.mono);
  REQUIRE(admitted == 20);
  REQUIRE(budget.admit(v4(2), clock.now.mono));
  clock.advance(1s);
  admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += budget.admit(v4(1), clock.now.mono);
  REQUIRE(admitted == 10);
  clock.advance(1h);
  admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += budget.admit(v4(1), clock.now.mono);
  REQUIRE(admitted == 20);
}

TEST_CASE("row 45: the addresses of one IPv6 network share a budget") {
  AddressBudget budget({.per_second = 1, .burst = 5, .max_addresses = 100});
  test::Clock clock;
  int admitted = 0;
  for (std::uint8_t host = 0; host < 100; ++host) admitted += budget.admit(v6(1, host), clock.now.mono);
  REQUIRE(admitted == 5);
  REQUIRE(budget.admit(v6(2, 0), clock.now.mono));
}

TEST_CASE("row 45: memory stays bounded under a flood from everywhere, and quiet addresses are forgotten") {
  AddressBudget budget({.per_second = 10, .burst = 20, .max_addresses = 1000});
  test::Clock clock;
  REQUIRE(budget.admit(v4(7), clock.now.mono));
  int admitted = 0;
  for (int i = 0; i < 100'000; ++i) {
    AddressKey key = v6(0, 0);
    key[4] = static_cast<std::uint8_t>(i);
    key[5] = static_cast<std::uint8_t>(i >> 8);
    key[6] = static_cast<std::uint8_t>(i >> 16);
    admitted += budget.admit(key, clock.now.mono);
  }
  REQUIRE(budget.addresses() == 1000);
  REQUIRE(admitted < 1030);
  REQUIRE(budget.admit(v4(7), clock.now.mono));  // a known address keeps its own
  clock.advance(10s);
  REQUIRE(budget.admit(v4(9), clock.now.mono));
  REQUIRE(budget.addresses() < 1000);
}

TEST_CASE("a clock that stands still or goes back gives nothing away") {
  AddressBudget budget({.per_second = 10, .burst = 2, .max_addresses = 10});
  test::Clock clock;
  REQUIRE(budget.admit(v4(1), clock.now.mono));
  REQUIRE(budget.admit(v4(1), clock.now.mono - 1h));
  REQUIRE_FALSE(budget.admit(v4(1), clock.now.mono));
}

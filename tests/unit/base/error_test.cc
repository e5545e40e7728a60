// SPDX-License-Identifier: BSD-3-Clause
#include <set>

#include "support/catch.h"
#include "ts2021/base/error.h"
#include "ts2021/base/result.h"
#include "ts2021/base/secret.h"

using namespace ts2021;

TEST_CASE("every error has its own number, name and text") {
  std::set<int> numbers;
  std::set<std::string_view> names;
#define TS2021_ERROR(number, id, fault, words) \
  REQUIRE(numbers.insert(number).second);      \
  REQUIRE(names.insert(#id).second);           \
  REQUIRE(text(Errc::id) == words);            \
  REQUIRE(name(Errc::id) == #id);              \
  REQUIRE(blame(Errc::id) == Blame::fault);
#include "ts2021/base/error.def"
#undef TS2021_ERROR
  REQUIRE(text(static_cast<Errc>(65535)) == "unknown error");
}

TEST_CASE("a result holds a value or an error") {
  const Result<int> good = 7;
  REQUIRE(good);
  REQUIRE(*good == 7);
  const Result<int> bad = fail(Errc::misuse, 1);
  REQUIRE_FALSE(bad);
  REQUIRE(bad.error().code == Errc::misuse);
  REQUIRE(Result<void>{}.has_value());
}

TEST_CASE("a secret is zero after a move") {
  Secret<4> a(std::array<std::uint8_t, 4>{1, 2, 3, 4});
  const Secret<4> b = std::move(a);
  REQUIRE(b.bytes()[3] == 4);
  REQUIRE(a.bytes()[0] == 0);  // NOLINT: the moved-from state is the point
  REQUIRE(a.bytes()[3] == 0);
}

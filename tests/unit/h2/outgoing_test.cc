// SPDX-License-Identifier: BSD-3-Clause
#include "h2/outgoing.h"

#include "h2/flood_meter.h"
#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;
using namespace ts2021::h2;
using ts2021::test::Buffer;

TEST_CASE("a message comes out as it went in, whatever the steps") {
  const std::vector<SharedBytes> pieces{share("abc"), nullptr, share(""), share("d"), share("efghijkl")};
  for (std::size_t step = 1; step <= 13; ++step) {
    Outgoing out;
    out.set(pieces);
    REQUIRE(out.left() == 12);
    std::string seen;
    while (out.left() > 0) {
      const std::size_t n = std::min(step, out.left());
      std::vector<Bytes> views(out.views(n));
      out.gather(n, views);
      std::size_t size = 0;
      for (const Bytes view : views) {
        REQUIRE_FALSE(view.empty());
        seen += test::string(view);
        size += view.size();
      }
      REQUIRE(size == n);
      out.advance(n);
    }
    REQUIRE(seen == "abcdefghijkl");
    REQUIRE(out.views(0) == 0);
  }
}

TEST_CASE("a message lets go of each piece with its last byte") {
  const SharedBytes a = share("aaaa"), b = share("bbbb");
  Outgoing out;
  out.set(std::vector<SharedBytes>{a, b});
  REQUIRE(a.use_count() == 2);
  out.advance(4);
  REQUIRE(a.use_count() == 1);
  REQUIRE(b.use_count() == 2);
  out.advance(4);
  REQUIRE(b.use_count() == 1);
}

TEST_CASE("a flood meter allows its limit in every ten seconds and no more") {
  const auto at = [](double seconds) {
    return Instant{std::chrono::nanoseconds{static_cast<std::int64_t>(seconds * 1e9)}};
  };
  FloodMeter meter;
  for (int i = 0; i < 100; ++i) REQUIRE(meter.count(at(1000.9), 100));
  REQUIRE_FALSE(meter.count(at(1000.9), 100));
  REQUIRE_FALSE(meter.count(at(1010.8), 100));
  REQUIRE_FALSE(meter.count(at(3.0), 100));  // time does not go back
  for (int i = 0; i < 100; ++i) REQUIRE(meter.count(at(1012.0), 100));
  REQUIRE_FALSE(meter.count(at(1012.0), 100));
  REQUIRE(meter.count(at(1e6), 100));
}

TEST_CASE("a flood meter slides: nine per second never reach a hundred, eleven do") {
  FloodMeter slow, fast;
  bool refused = false;
  for (int second = 0; second < 100; ++second) {
    const Instant now{std::chrono::seconds{second}};
    for (int i = 0; i < 9; ++i) REQUIRE(slow.count(now, 100));
    for (int i = 0; i < 11; ++i) refused = !fast.count(now, 100) || refused;
  }
  REQUIRE(refused);
}

TEST_CASE("the room for the pieces of a long message is given back, that for a short one is kept") {
  const std::vector<SharedBytes> many(200, share("piece")), few(4, many.front());
  const auto allocations = [](Outgoing& out, std::span<const SharedBytes> pieces) {
    const std::size_t before = ts2021::test::allocation_count();
    out.set(pieces);
    const std::size_t after = ts2021::test::allocation_count();
    out.advance(out.left());
    return after - before;
  };
  Outgoing out;
  CHECK(allocations(out, few) > 0);
  CHECK(allocations(out, few) == 0);
  CHECK(allocations(out, many) > 0);
  CHECK(allocations(out, few) > 0);
  CHECK(allocations(out, few) == 0);
}

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/ledger.h"

#include <chrono>

#include "support/catch.h"

namespace ts2021::app::fleet {
namespace {

using Kind = Change::Kind;
using What = PeerNews::What;

Instant at(int ms) { return Instant{} + std::chrono::milliseconds{ms}; }
BitSet set_of(std::initializer_list<std::size_t> numbers) {
  BitSet out(8);
  for (const auto number : numbers) out.insert(number);
  return out;
}
PeerNews moved(std::uint32_t node, std::uint32_t generation) { return {node, What::patched, {}, generation}; }

TEST_CASE("ledger: every viewer is timed, the last one for all") {
  Ledger ledger(8);
  ledger.begin({1, Kind::move, 5, at(100)}, set_of({0, 1, 2, 3}));
  CHECK(ledger.open() == 1);
  CHECK(ledger.missing() == 3);                      // the node itself does not count
  CHECK_FALSE(ledger.saw(0, moved(1, 4), at(101)));  // an older one
  CHECK_FALSE(ledger.saw(0, moved(2, 5), at(101)));  // another node's
  CHECK_FALSE(ledger.saw(1, moved(1, 5), at(101)));
  CHECK(ledger.saw(0, moved(1, 5), at(110)));
  CHECK_FALSE(ledger.saw(0, moved(1, 5), at(120)));  // once is enough
  CHECK(ledger.saw(3, {1, What::listed, true, 5}, at(130)));
  CHECK(ledger.missing() == 1);
  REQUIRE(ledger.some_missing(9).size() == 1);
  CHECK(ledger.some_missing(9)[0].viewer == 2);
  CHECK(ledger.some_missing(9)[0].node == 1);
  CHECK(ledger.tally(Kind::move).complete == 0);
  CHECK(ledger.saw(2, moved(1, 7), at(140)));  // a later change says the earlier one too
  CHECK(ledger.open() == 0);
  CHECK(ledger.missing() == 0);
  const auto& tally = ledger.tally(Kind::move);
  CHECK(tally.changes == 1);
  CHECK(tally.complete == 1);
  CHECK(tally.each.count() == 3);
  CHECK(tally.each.min() == 10'000);
  CHECK(tally.last.count() == 1);
  CHECK(tally.last.max() >= 40'000);
  CHECK(tally.each.max() == 40'000);
}

TEST_CASE("ledger: what tells of a join and of a leave") {
  Ledger ledger(8);
  ledger.begin({1, Kind::join, 3, at(0)}, set_of({0, 2, 4}));
  CHECK_FALSE(ledger.saw(0, {1, What::removed, {}, {}}, at(1)));
  CHECK_FALSE(ledger.saw(0, {1, What::patched, true, {}}, at(1)));  // known before, nothing new
  CHECK(ledger.saw(0, {1, What::listed, {}, {}}, at(1)));
  CHECK(ledger.saw(2, moved(1, 3), at(1)));  // known before, and back
  CHECK_FALSE(ledger.saw(4, moved(1, 2), at(1)));
  ledger.drop_all();
  ledger.begin({1, Kind::leave, 0, at(0)}, set_of({0, 2, 4}));
  CHECK_FALSE(ledger.saw(0, {1, What::listed, true, 9}, at(1)));
  CHECK_FALSE(ledger.saw(0, {1, What::patched, {}, 9}, at(1)));
  CHECK(ledger.saw(0, {1, What::patched, false, {}}, at(1)));
  CHECK(ledger.saw(2, {1, What::removed, {}, {}}, at(1)));
  CHECK(ledger.saw(4, {1, What::listed, false, {}}, at(1)));
  CHECK(ledger.tally(Kind::leave).complete == 1);
  CHECK(ledger.tally(Kind::join).complete == 0);
}

TEST_CASE("ledger: viewers come while a change is held, and leave at any time") {
  Ledger ledger(8);
  ledger.begin({1, Kind::join, 0, at(0)}, set_of({}), true);
  CHECK(ledger.open() == 1);
  ledger.viewer_came(2, set_of({}));
  ledger.viewer_came(3, set_of({1}));  // has it in its first list
  ledger.viewer_came(1, set_of({}));   // itself
  CHECK(ledger.missing() == 1);
  ledger.release(1);
  ledger.viewer_came(4, set_of({}));  // too late: not of this change
  CHECK(ledger.missing() == 1);
  CHECK(ledger.saw(2, {1, What::listed, {}, {}}, at(5)));
  CHECK(ledger.open() == 0);
  // Nobody waits for who has left, and it leaves no trace in the times.
  ledger.begin({1, Kind::move, 1, at(0)}, set_of({2, 3}));
  ledger.begin({5, Kind::move, 1, at(0)}, set_of({2}));
  ledger.viewer_left(2);
  CHECK(ledger.open() == 1);
  CHECK(ledger.missing() == 1);
  CHECK(ledger.tally(Kind::move).complete == 1);
  CHECK(ledger.tally(Kind::move).each.count() == 0);
  ledger.drop(1, Kind::join);
  CHECK(ledger.missing() == 1);
  ledger.drop(1, Kind::move);
  CHECK(ledger.missing() == 0);
  CHECK(ledger.open() == 0);
  // A held change without anybody ends when it is released.
  ledger.reset_tallies();
  ledger.begin({6, Kind::join, 0, at(0)}, set_of({}), true);
  ledger.release(6);
  CHECK(ledger.tally(Kind::join).complete == 1);
  CHECK(ledger.tally(Kind::join).last.count() == 0);
}

}  // namespace
}  // namespace ts2021::app::fleet

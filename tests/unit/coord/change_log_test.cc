// SPDX-License-Identifier: BSD-3-Clause
#include "coord/change_log.h"

#include <map>
#include <random>
#include <set>

#include "support/catch.h"

namespace ts2021::test {

using coord::ChangeLog;
using coord::Part;
using coord::Parts;
using coord::Position;
using coord::operator|;

namespace {

std::vector<ChangeLog::Change> since(const ChangeLog& log, Position cursor) {
  std::vector<ChangeLog::Change> out;
  log.since(cursor, [&](const ChangeLog::Change& change) { out.push_back(change); });
  return out;
}

}  // namespace

TEST_CASE("a cursor sees each node once, with the sum of what changed") {
  ChangeLog log;
  log.created(NodeId{1});
  log.created(NodeId{2});
  const Position start = log.head();
  CHECK(since(log, start).empty());
  log.changed(NodeId{1}, Part::endpoints);
  const Position middle = log.head();
  log.changed(NodeId{2}, Part::online);
  log.changed(NodeId{1}, Part::derp | Part::disco);
  const auto all = since(log, start);
  REQUIRE(all.size() == 2);
  CHECK(all[0].node == NodeId{1});
  CHECK(all[0].parts == (Part::derp | Part::disco | Part::endpoints));
  CHECK(all[1].parts == Parts(Part::online));
  const auto later = since(log, middle);
  REQUIRE(later.size() == 2);
  CHECK(later[0].parts == (Part::derp | Part::disco));
}

TEST_CASE("created and removed between two looks is nothing") {
  ChangeLog log;
  const Position start = log.head();
  log.created(NodeId{1});
  const Position known = log.head();
  log.removed(NodeId{1});
  CHECK(since(log, start).empty());
  const auto gone = since(log, known);
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].removed);
  log.changed(NodeId{1}, Part::whole);
  CHECK(since(log, known).size() == 1);
  log.forget_removed(log.head());
  CHECK(log.size() == 0);
  CHECK(log.floor() == Position{});
}

TEST_CASE("too many removals raise the floor instead of memory") {
  ChangeLog log(10);
  for (std::uint64_t i = 1; i <= 100; ++i) log.created(NodeId{i});
  const Position start = log.head();
  for (std::uint64_t i = 1; i <= 10; ++i) log.removed(NodeId{i});
  CHECK(log.floor() <= start);
  log.removed(NodeId{11});
  CHECK(log.floor() > start);
  CHECK(log.size() == 99);
  for (std::uint64_t i = 12; i <= 100; ++i) log.removed(NodeId{i});
  CHECK(log.size() == 10);
}

TEST_CASE("any cursor adds up: a model keeps every event") {
  std::mt19937_64 random(3);
  ChangeLog log;
  struct Event {
    Position at;
    NodeId node;
    int what;  // 0 created, 1 removed, else part + 2
  };
  std::vector<Event> history;
  std::set<NodeId> alive;
  std::uint64_t next = 1;
  for (int step = 0; step < 3'000; ++step) {
    const auto roll = random() % 10;
    if (roll < 2 || alive.empty()) {
      log.created(NodeId{next});
      alive.insert(NodeId{next});
      history.push_back({log.head(), NodeId{next++}, 0});
      continue;
    }
    auto at = alive.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random() % alive.size()));
    const NodeId node = *at;
    if (roll < 3) {
      log.removed(node);
      alive.erase(at);
      history.push_back({log.head(), node, 1});
    } else {
      const auto part = random() % coord::part_count;
      log.changed(node, static_cast<Part>(part));
      history.push_back({log.head(), node, static_cast<int>(part) + 2});
    }
    const Position cursor{random() % (static_cast<std::uint64_t>(log.head()) + 1)};
    std::map<NodeId, ChangeLog::Change> model;
    for (const auto& event : history) {
      if (event.at <= cursor) continue;
      auto& change = model[event.node];
      if (event.what == 0) change.created = true;
      if (event.what == 1) change.removed = true;
      if (event.what >= 2) change.parts |= static_cast<Part>(event.what - 2);
    }
    std::erase_if(model, [](const auto& entry) { return entry.second.created && entry.second.removed; });
    const auto seen = since(log, cursor);
    REQUIRE(seen.size() == model.size());
    for (const auto& change : seen) {
      const auto& expected = model[change.node];
      REQUIRE(change.created == expected.created);
      REQUIRE(change.removed == expected.removed);
      if (!change.created && !change.removed) REQUIRE(change.parts == expected.parts);
    }
  }
}

}  // namespace ts2021::test

// SPDX-License-Identifier: BSD-3-Clause
#include "conformance/store_suite.h"

#include <algorithm>
#include <map>
#include <string>

#include "support/catch.h"

namespace ts2021::test {
namespace {

RecordPtr user(std::uint64_t id, std::string name) {
  UserRecord record;
  record.id = UserId{id};
  record.login_name = std::move(name);
  return std::make_shared<const Record>(std::move(record));
}
RecordPtr auth_key(std::uint64_t id, bool used) {
  AuthKeyRecord record;
  record.id = id;
  record.used = used;
  return std::make_shared<const Record>(std::move(record));
}
Write put(RecordPtr record, Revision expected = {}) { return {kind(*record), id(*record), expected, record}; }
Write drop(RecordKind kind, std::uint64_t id, Revision expected) { return {kind, id, expected, nullptr}; }
std::string name_of(const RecordPtr& record) {
  return record ? std::get<UserRecord>(*record).login_name : "(deleted)";
}

class Writer {
 public:
  Writer(StoreWorld& world) : world_(world), store(world.open()) {}

  // Everything that comes until nothing has come for a while.
  std::vector<StoreEvent> drain() {
    std::vector<StoreEvent> all;
    for (int quiet = 0; quiet < 200; ++quiet) {
      world_.settle();
      StoreEvent some[3];
      for (std::size_t n; (n = store->poll(some)) != 0; quiet = 0)
        for (std::size_t i = 0; i < n; ++i) all.push_back(std::move(some[i]));
    }
    return all;
  }
  // The one answer to a transaction; other events are dropped.
  StoreEvent submit(std::vector<Write> transaction) {
    const Ticket ticket{++tickets_};
    store->submit(ticket, transaction);
    transaction.clear();
    std::vector<StoreEvent> answers;
    for (auto& event : drain()) {
      const auto* done = std::get_if<Committed>(&event);
      const auto* refused = std::get_if<Rejected>(&event);
      if ((done && done->ticket == ticket) || (refused && refused->ticket == ticket))
        answers.push_back(std::move(event));
    }
    REQUIRE(answers.size() == 1);
    return answers[0];
  }
  Revision commit(std::vector<Write> transaction) {
    const auto answer = submit(std::move(transaction));
    REQUIRE(std::holds_alternative<Committed>(answer));
    return std::get<Committed>(answer).revision;
  }
  Errc refused(std::vector<Write> transaction) {
    const auto answer = submit(std::move(transaction));
    REQUIRE(std::holds_alternative<Rejected>(answer));
    return std::get<Rejected>(answer).why.code;
  }

 private:
  StoreWorld& world_;
  std::uint64_t tickets_ = 0;

 public:
  std::unique_ptr<Store> store;
};

std::vector<Changed> changes(const std::vector<StoreEvent>& events) {
  std::vector<Changed> out;
  for (const auto& event : events)
    if (const auto* changed = std::get_if<Changed>(&event)) out.push_back(*changed);
  return out;
}

}  // namespace

void store_suite(const MakeStoreWorld& make) {
  const auto world = make();
  Writer one(*world);

  SECTION("revisions grow, and a write names the revision that it replaces") {
    const auto first = one.commit({put(user(1, "a"))});
    CHECK(first > Revision{});
    const auto second = one.commit({put(user(1, "b"), first)});
    CHECK(second > first);
    CHECK(one.refused({put(user(1, "c"), first)}) == Errc::stale_revision);
    CHECK(one.refused({put(user(1, "c"))}) == Errc::stale_revision);
    CHECK(one.refused({put(user(2, "c"), second)}) == Errc::stale_revision);
  }

  SECTION("a deletion is conditional, and the id is free again") {
    const auto first = one.commit({put(user(1, "a"))});
    CHECK(one.refused({drop(RecordKind::user, 1, Revision{static_cast<std::uint64_t>(first) + 1})}) ==
          Errc::stale_revision);
    one.commit({drop(RecordKind::user, 1, first)});
    CHECK(one.refused({drop(RecordKind::user, 1, first)}) == Errc::stale_revision);
    one.commit({put(user(1, "b"))});
  }

  SECTION("a transaction is all or nothing, over kinds, with one revision") {
    const auto key = one.commit({put(auth_key(7, false))});
    const auto both = one.commit({put(user(1, "a")), put(auth_key(7, true), key)});
    // A second spender of the key must not make its user.
    CHECK(one.refused({put(user(2, "b")), put(auth_key(7, true), key)}) == Errc::stale_revision);
    one.store->watch(Revision{});
    const auto told = changes(one.drain());
    REQUIRE(told.size() == 2);
    CHECK(told[0].revision == both);
    CHECK(told[1].revision == both);
  }

  SECTION("misuse is refused and changes nothing") {
    CHECK(one.refused({}) == Errc::misuse);
    CHECK(one.refused({put(user(1, "a")), put(user(1, "b"))}) == Errc::misuse);
    auto wrong_id = put(user(1, "a"));
    wrong_id.id = 2;
    CHECK(one.refused({wrong_id}) == Errc::misuse);
    auto wrong_kind = put(user(1, "a"));
    wrong_kind.kind = RecordKind::node;
    CHECK(one.refused({wrong_kind}) == Errc::misuse);
    one.store->watch(Revision{});
    CHECK(changes(one.drain()).empty());
  }

  SECTION("a watch tells what exists, then that it caught up, then what happens") {
    const auto first = one.commit({put(user(1, "a"))});
    const auto second = one.commit({put(user(2, "b"))});
    const auto third = one.commit({put(user(1, "c"), first)});
    one.commit({drop(RecordKind::user, 2, second)});
    one.store->watch(Revision{});
    auto events = one.drain();
    REQUIRE(events.size() == 2);
    REQUIRE(std::holds_alternative<Changed>(events[0]));
    CHECK(std::get<Changed>(events[0]).revision == third);
    CHECK(name_of(std::get<Changed>(events[0]).record) == "c");
    CHECK(std::holds_alternative<CaughtUp>(events[1]));

    one.store->submit(Ticket{900}, std::vector{put(user(3, "d"))});
    events = one.drain();
    REQUIRE(events.size() == 2);
    REQUIRE(std::holds_alternative<Changed>(events[0]));  // before its own answer
    CHECK(std::get<Changed>(events[0]).id == 3);
    REQUIRE(std::holds_alternative<Committed>(events[1]));
    CHECK(std::get<Committed>(events[1]).revision == std::get<Changed>(events[0]).revision);
  }

  SECTION("a watch that restarts at a revision tells what is newer, deletions too, and nothing twice") {
    const auto first = one.commit({put(user(1, "a"))});
    const auto second = one.commit({put(user(2, "b"))});
    one.store->watch(Revision{});
    (void)one.drain();
    one.commit({put(user(3, "c"))});
    one.commit({drop(RecordKind::user, 1, first)});
    one.store->watch(second);
    const auto events = one.drain();
    const auto told = changes(events);
    REQUIRE(told.size() == 2);
    CHECK(name_of(told[0].record) == "c");
    CHECK(told[1].id == 1);
    CHECK(!told[1].record);
    CHECK(std::holds_alternative<CaughtUp>(events.back()));
  }

  SECTION("without a watch nobody is told") {
    one.store->submit(Ticket{900}, std::vector{put(user(1, "a"))});
    const auto events = one.drain();
    REQUIRE(events.size() == 1);
    CHECK(std::holds_alternative<Committed>(events[0]));
  }

  SECTION("two writers: the watch tells of both, in the order of revisions, and one of two rivals wins") {
    Writer two(*world);
    one.store->watch(Revision{});
    (void)one.drain();
    const auto first = two.commit({put(user(1, "a"))});
    const auto told = changes(one.drain());
    REQUIRE(told.size() == 1);
    CHECK(told[0].revision == first);

    one.store->submit(Ticket{901}, std::vector{put(user(1, "one"), first)});
    two.store->submit(Ticket{901}, std::vector{put(user(1, "two"), first)});
    std::size_t committed = 0;
    for (auto* writer : {&one, &two})
      for (const auto& event : writer->drain()) committed += std::holds_alternative<Committed>(event);
    CHECK(committed == 1);
  }

  SECTION("many tickets at once: each is answered once, and the watch adds up to what is stored") {
    one.store->watch(Revision{});
    (void)one.drain();
    std::map<std::uint64_t, std::string> expected;
    for (std::uint64_t i = 1; i <= 200; ++i) {
      const auto name = std::to_string(i);
      one.store->submit(Ticket{1000 + i}, std::vector{put(user(i % 50 + 1, name))});
    }
    std::map<std::uint64_t, int> answers;
    std::map<std::uint64_t, Revision> seen;
    Revision last{};
    std::size_t committed = 0;
    for (const auto& event : one.drain()) {
      if (const auto* done = std::get_if<Committed>(&event)) {
        ++answers[static_cast<std::uint64_t>(done->ticket)];
        ++committed;
      } else if (const auto* refused = std::get_if<Rejected>(&event)) {
        CHECK(refused->why.code == Errc::stale_revision);
        ++answers[static_cast<std::uint64_t>(refused->ticket)];
      } else if (const auto* changed = std::get_if<Changed>(&event)) {
        CHECK(changed->revision > last);
        last = changed->revision;
        CHECK(seen.emplace(changed->id, changed->revision).second);
      }
    }
    CHECK(committed == 50);
    CHECK(seen.size() == 50);
    CHECK(answers.size() == 200);
    CHECK(std::all_of(answers.begin(), answers.end(), [](const auto& entry) { return entry.second == 1; }));
    one.store->watch(Revision{});
    const auto stored = changes(one.drain());
    CHECK(stored.size() == 50);
    for (const auto& changed : stored) CHECK(seen[changed.id] == changed.revision);
  }
}

}  // namespace ts2021::test

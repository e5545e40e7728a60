// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/lock/authority.h"

#include "support/catch.h"
#include "support/lock_keys.h"

using namespace ts2021;
using lock::AUM;
using lock::AUMKind;
using lock::Authority;
using test::apply;
using test::Buffer;
using test::lock_secret;
using test::no_op;
using test::trusted;

namespace {

const TailnetLockPrivate alice = lock_secret(1), bob = lock_secret(2), carol = lock_secret(3);

Authority start() {
  return *Authority::bootstrap(test::genesis_of({trusted(alice, 2), trusted(bob)}, alice).encode());
}

AUM next(const Authority& authority, AUMKind kind) {
  AUM out;
  out.kind = kind;
  out.parent = authority.head();
  return out;
}

}  // namespace

TEST_CASE("LCK-6 keys come, change and go") {
  Authority authority = start();
  AUM add = next(authority, AUMKind::add_key);
  add.key = trusted(carol);
  add.sign(alice);
  REQUIRE(apply(authority, add));
  CHECK(authority.head() == add.hash());
  CHECK(authority.trusts(trusted(carol).id));

  AUM change = next(authority, AUMKind::update_key);
  change.key_id = trusted(carol).id;
  change.votes = 4;
  change.sign(carol);  // each trusted key may
  REQUIRE(apply(authority, change));
  CHECK(authority.state().find(trusted(carol).id)->votes == 4);

  AUM remove = next(authority, AUMKind::remove_key);
  remove.key_id = trusted(carol).id;
  remove.sign(bob);
  REQUIRE(apply(authority, remove));
  CHECK_FALSE(authority.trusts(trusted(carol).id));
  CHECK(apply(authority, no_op(authority.head(), carol)).error().code == Errc::untrusted_lock_key);
}

TEST_CASE("LCK-7 the last key stays") {
  Authority authority = *Authority::bootstrap(test::genesis_of({trusted(alice)}, alice).encode());
  AUM remove = next(authority, AUMKind::remove_key);
  remove.key_id = trusted(alice).id;
  remove.sign(alice);
  CHECK(apply(authority, remove).error() == fail(Errc::bad_lock_update, 1223));
  CHECK(authority.trusts(trusted(alice).id));
}

TEST_CASE("LCK-6 no more keys than a checkpoint may have") {
  std::vector<lock::Key> keys{trusted(alice)};
  for (std::size_t i = 1; i < lock::max_keys; ++i) {
    keys.push_back(trusted(bob));
    keys.back().id[0] = static_cast<std::uint8_t>(i);
    keys.back().id[1] = static_cast<std::uint8_t>(i >> 8);
  }
  Authority authority = *Authority::bootstrap(test::genesis_of(keys, alice).encode());
  AUM add = next(authority, AUMKind::add_key);
  add.key = trusted(carol);
  add.sign(alice);
  CHECK(apply(authority, add).error() == fail(Errc::limit_exceeded, 1224));
  keys.push_back(trusted(carol));
  CHECK_FALSE(Authority::bootstrap(test::genesis_of(keys, alice).encode()));
}

TEST_CASE("LCK-7 copied signatures make no branch of their own") {
  Authority authority = start();
  const AUM original = no_op(authority.head(), alice);
  REQUIRE(apply(authority, original));
  AUM copy = original;
  copy.signatures.push_back(copy.signatures[0]);
  CHECK(apply(authority, copy).error() == fail(Errc::bad_lock_update, 1215));
}

TEST_CASE("updates that are known are skipped; after an error nothing has changed") {
  Authority authority = start();
  const AUM first = no_op(authority.head(), alice), second = no_op(first.hash(), bob);
  const Buffer one = first.encode(), two = second.encode(), bad = no_op(second.hash(), carol).encode();
  REQUIRE(authority.apply(std::vector<Bytes>{one}));
  const auto before = authority.head();
  CHECK_FALSE(authority.apply(std::vector<Bytes>{one, two, bad}));
  CHECK(authority.head() == before);
  CHECK(authority.count() == 2);
  REQUIRE(authority.apply(std::vector<Bytes>{one, two, two, one}));
  CHECK(authority.head() == second.hash());
  CHECK(authority.count() == 3);
  CHECK(authority.apply(std::vector<Bytes>{}));
  // A child before its parent.
  Authority other = start();
  CHECK(other.apply(std::vector<Bytes>{two, one}).error().code == Errc::unknown_lock_update);
}

TEST_CASE("LCK-9 a heavier branch rewinds the chain, and what it had is gone") {
  Authority authority = start();
  const auto genesis = authority.head();
  AUM add = next(authority, AUMKind::add_key);
  add.key = trusted(carol);
  add.sign(bob);
  REQUIRE(apply(authority, add));
  REQUIRE(apply(authority, no_op(authority.head(), carol)));
  REQUIRE(apply(authority, no_op(authority.head(), carol, 2)));
  const AUM heavy = no_op(genesis, alice);
  REQUIRE(apply(authority, heavy));
  CHECK(authority.head() == heavy.hash());
  CHECK_FALSE(authority.trusts(trusted(carol).id));
  CHECK(authority.count() == 5);
  // The lost branch can still grow, with its own keys, and loses still.
  AUM late = no_op(add.hash(), carol, 3);
  REQUIRE(apply(authority, late));
  CHECK(authority.head() == heavy.hash());
}

TEST_CASE("LCK-9 a removal wins against its equals, whatever the hashes") {
  for (std::uint64_t tag = 1; tag <= 8; ++tag) {
    Authority authority = start();
    const AUM other = no_op(authority.head(), alice, tag);
    AUM remove = next(authority, AUMKind::remove_key);
    remove.key_id = trusted(bob).id;
    remove.sign(alice);
    REQUIRE(apply(authority, other));
    REQUIRE(apply(authority, remove));
    CHECK(authority.head() == remove.hash());
  }
}

TEST_CASE("a chain has an end") {
  Authority authority = start();
  std::vector<Buffer> updates;
  lock::AUMHash parent = authority.head();
  while (updates.size() < Authority::max_updates) {
    const AUM update = no_op(parent, alice);
    parent = update.hash();
    updates.push_back(update.encode());
  }
  const std::vector<Bytes> all(updates.begin(), updates.end());
  CHECK(authority.apply(all).error() == fail(Errc::limit_exceeded, 1262));
  CHECK(authority.count() == 1);
  REQUIRE(authority.apply(std::span(all).first(all.size() - 1)));
  CHECK(authority.count() == Authority::max_updates);
  // LCK-11: 4, 16, 64, 256, 1024 back, and the oldest.
  CHECK(authority.offer().ancestors.size() == 6);
}

TEST_CASE("LCK-11 a short chain names its oldest update once") {
  Authority authority = start();
  for (std::size_t size = 1; size <= 6; ++size) {
    const auto ancestors = authority.offer().ancestors;
    CHECK(ancestors.size() == (size == 6 ? 2 : 1));
    CHECK(ancestors.back() == authority.oldest());
    REQUIRE(apply(authority, no_op(authority.head(), alice)));
  }
}

TEST_CASE("a chain has a size") {
  Authority authority = start();
  AUM update = next(authority, AUMKind::no_op);
  update.key_id.assign(Authority::max_size - 1000, 1);
  update.sign(alice);
  REQUIRE(apply(authority, update));
  update.parent = authority.head();
  update.key_id.resize(1000);
  update.signatures.clear();
  update.sign(alice);
  CHECK(apply(authority, update).error() == fail(Errc::limit_exceeded, 1262));
  CHECK(Authority::bootstrap(Buffer(Authority::max_size + 1)).error() == fail(Errc::limit_exceeded, 1259));
}

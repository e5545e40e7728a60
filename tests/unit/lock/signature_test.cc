// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.h"
#include "support/lock_keys.h"
#include "ts2021/lock/node_key_signature.h"

using namespace ts2021;
using lock::Authority;
using lock::NodeKeySignature;
using test::lock_secret;
using test::node;
using test::trusted;

namespace {

const TailnetLockPrivate alice = lock_secret(1), wrapping = lock_secret(9), stranger = lock_secret(5);

Authority authority() { return *Authority::bootstrap(test::genesis_of({trusted(alice)}, alice).encode()); }

}  // namespace

TEST_CASE("LCK-8 what we sign is trusted: directly, after a rotation, by a credential") {
  const Authority trust = authority();
  const auto direct = lock::sign_node(node(1), wrapping.public_key(), alice);
  CHECK(trust.authorize(node(1), direct.encode()));
  const auto rotated = lock::sign_rotation(node(2), direct, wrapping);
  CHECK(trust.authorize(node(2), rotated.encode()));
  CHECK(*rotated.node_key() == node(2));
  CHECK(trust.authorize(node(1), rotated.encode()).error().code == Errc::bad_lock_signature);
  const auto credential = lock::sign_credential(wrapping.public_key(), alice);
  CHECK(trust.authorize(node(3), credential.encode()).error() == fail(Errc::bad_lock_signature, 1244));
  CHECK(trust.authorize(node(3), lock::sign_rotation(node(3), credential, wrapping).encode()));
  CHECK_FALSE(trust.authorize(node(3), lock::sign_rotation(node(3), credential, stranger).encode()));
  CHECK(trust.authorize(node(1), lock::sign_node(node(1), wrapping.public_key(), stranger).encode())
            .error()
            .code == Errc::untrusted_lock_key);
}

TEST_CASE("LCK-8 a rotation authorizes only under the node keys that it nests") {
  // The outer signature is right, the inner one is of another node than it says.
  auto inner = lock::sign_node(node(1), wrapping.public_key(), alice);
  inner.pubkey.back() ^= 1;
  CHECK_FALSE(authority().authorize(node(2), lock::sign_rotation(node(2), inner, wrapping).encode()));
  inner.pubkey.resize(3);
  CHECK_FALSE(authority().authorize(node(2), lock::sign_rotation(node(2), inner, wrapping).encode()));
}

TEST_CASE("LCK-8 chains end at sixteen signatures") {
  auto chain = lock::sign_node(node(1), wrapping.public_key(), alice);
  for (std::size_t depth = 2; depth <= NodeKeySignature::max_depth; ++depth)
    chain = lock::sign_rotation(node(static_cast<std::uint8_t>(depth)), chain, wrapping);
  CHECK(authority().authorize(node(16), chain.encode()));
  const auto deeper = NodeKeySignature::decode(lock::sign_rotation(node(17), chain, wrapping).encode());
  REQUIRE_FALSE(deeper);
  CHECK(deeper.error() == fail(Errc::limit_exceeded, 1240));
}

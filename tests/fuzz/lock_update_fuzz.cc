// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as an update of the tailnet lock: alone, as a genesis, and on top of a chain.
#include <algorithm>
#include <vector>

#include "fuzz/fuzz.h"
#include "ts2021/lock/authority.h"

using namespace ts2021;

namespace {

lock::Authority start() {
  fuzz::SameEntropy entropy;
  const auto secret = TailnetLockPrivate::generate(entropy);
  lock::AUM genesis;
  genesis.kind = lock::AUMKind::checkpoint;
  genesis.state.emplace().disablement_values.emplace_back();
  const TailnetLockPublic open = secret.public_key();
  genesis.state->keys.push_back({{open.bytes().begin(), open.bytes().end()}, 1, {}});
  genesis.sign(secret);
  return *lock::Authority::bootstrap(genesis.encode());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const lock::Authority before = start();
  const Bytes in(data, size);
  const auto update = lock::AUM::decode(in);
  lock::Authority authority = before;
  const auto applied = authority.apply(std::vector<Bytes>{in});
  const auto genesis = lock::Authority::bootstrap(in);
  TS_EXPECT(!applied || authority.head() == before.head());  // nothing here is signed with that key
  if (!update) {
    TS_EXPECT(!applied && !genesis);
    return 0;
  }
  TS_EXPECT(std::ranges::equal(update->encode(), in));
  TS_EXPECT(*lock::AUMHash::parse(update->hash().text()) == update->hash());
  if (genesis) TS_EXPECT(genesis->head() == update->hash() && genesis->log().size() == 1);
  return 0;
}

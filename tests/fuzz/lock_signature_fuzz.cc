// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a node key signature.
#include <algorithm>

#include "fuzz/fuzz.h"
#include "ts2021/lock/node_key_signature.h"

using namespace ts2021;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes in(data, size);
  const auto decoded = lock::NodeKeySignature::decode(in);
  if (!decoded) return 0;
  TS_EXPECT(std::ranges::equal(decoded->encode(), in));
  const Bytes by = decoded->authorizing_key();
  const auto node = decoded->node_key();
  // Verified against the key that it names: whatever the answer, the same for the same bytes.
  const lock::Key trusted{{by.begin(), by.end()}, 1, {}};
  const bool good = decoded->verify(node ? *node : NodePublic(), trusted).has_value();
  if (good) {
    TS_EXPECT(node && decoded->kind != lock::SigKind::credential);
    NodePublic other;
    TS_EXPECT(!decoded->verify(other, trusted) || *node == other);
  }
  return 0;
}

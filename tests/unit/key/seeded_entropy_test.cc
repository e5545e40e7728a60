// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/key/seeded_entropy.h"

#include <vector>

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/key/key.h"

using namespace ts2021;

namespace {

std::vector<std::uint8_t> take(ts2021::SeededEntropy entropy, std::vector<std::size_t> sizes) {
  std::vector<std::uint8_t> all;
  for (const std::size_t size : sizes) {
    std::vector<std::uint8_t> piece(size);
    entropy.fill(piece);
    all.insert(all.end(), piece.begin(), piece.end());
  }
  return all;
}

}  // namespace

// The all-zero key and nonce: RFC 8439, A.1, test vectors 1 and 2.
TEST_CASE("seed 0 is the key stream of the RFC") {
  REQUIRE(test::hex(take(ts2021::SeededEntropy(0), {128})) ==
          "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
          "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
          "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
          "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
}

TEST_CASE("pieces of any size make the same stream; seeds and streams differ") {
  const auto whole = take(ts2021::SeededEntropy(7, 3), {300});
  REQUIRE(take(ts2021::SeededEntropy(7, 3), {1, 63, 64, 0, 65, 107}) == whole);
  REQUIRE(take(ts2021::SeededEntropy(8, 3), {300}) != whole);
  REQUIRE(take(ts2021::SeededEntropy(7, 4), {300}) != whole);
  REQUIRE(take(ts2021::SeededEntropy(std::uint64_t{7} << 56, 3), {300}) != whole);
}

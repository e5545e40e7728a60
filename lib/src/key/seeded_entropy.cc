// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/key/seeded_entropy.h"

#include <algorithm>

#include "crypto/chacha20.h"

namespace ts2021 {

SeededEntropy::SeededEntropy(std::uint64_t seed, std::uint64_t stream) noexcept {
  store_u64be(key_, seed);
  store_u64be(nonce_, stream);
}

void SeededEntropy::fill(MutableBytes out) noexcept {
  while (!out.empty()) {
    if (used_ == block_.size()) {
      crypto::chacha20_block(block_, key_, nonce_, next_++);
      used_ = 0;
    }
    const std::size_t n = std::min(out.size(), block_.size() - used_);
    std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(used_), n, out.begin());
    used_ += n;
    out = out.subspan(n);
  }
}

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// Where randomness comes from: the system, or for tests a seed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "common/clock.h"
#include "ts2021/key/seeded_entropy.h"

namespace ts2021::app {

struct Randomness {
  std::optional<std::uint64_t> seed;  // none: the system's

  // Whoever draws has a stream of its own, so that the order among them does not matter.
  enum class Stream : std::uint64_t { keys, coordinator, desk, first_shard };
  [[nodiscard]] std::unique_ptr<Entropy> stream(Stream of, std::uint64_t index = 0) const {
    if (!seed) return std::make_unique<SystemEntropy>();
    return std::make_unique<SeededEntropy>(*seed, static_cast<std::uint64_t>(of) + index);
  }
};

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// Who has whom in its list of peers, for all nodes.
#pragma once

#include <cstdint>
#include <vector>

#include "ts2021/fleet/bit_set.h"
#include "ts2021/fleet/digest.h"

namespace ts2021::app::fleet {

class Knowledge {
 public:
  explicit Knowledge(std::size_t nodes) : nodes_(nodes), rows_(nodes) {}

  // A new stream begins: the first message is all there is.
  void forget(std::uint32_t viewer);
  void apply(std::uint32_t viewer, const Digest& message);

  [[nodiscard]] std::size_t peers(std::uint32_t viewer) const noexcept { return rows_[viewer].set.size(); }
  // Of the set, whatever the order in which it came about.
  [[nodiscard]] std::uint64_t hash(std::uint32_t viewer) const noexcept { return rows_[viewer].hash; }

  struct Difference {
    std::size_t viewers = 0;  // whose list is wrong
    std::uint64_t missing = 0, surplus = 0;
    friend bool operator==(const Difference&, const Difference&) = default;
  };
  // Each of `viewers` should have all of `present` but itself. Hash and size are looked at; who differs is
  // counted in full.
  [[nodiscard]] Difference compare(const BitSet& viewers, const BitSet& present) const;
  [[nodiscard]] const BitSet& row(std::uint32_t viewer) const noexcept { return rows_[viewer].set; }

 private:
  struct Row {
    BitSet set;
    std::uint64_t hash = 0;
  };
  void insert(Row& row, std::uint32_t node);
  void erase(Row& row, std::uint32_t node);

  std::size_t nodes_;
  std::vector<Row> rows_;
};

}  // namespace ts2021::app::fleet

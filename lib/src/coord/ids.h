// SPDX-License-Identifier: BSD-3-Clause
// Ids from a block that the store has reserved, so that two new records don't contend for one counter.
#pragma once

#include <cstdint>

namespace ts2021::coord {

class IdBlock {
 public:
  // What is left of an older block is given up unless the new one follows on it.
  void add(std::uint64_t begin, std::uint64_t end) {
    if (begin != end_) next_ = begin;
    end_ = end;
  }
  [[nodiscard]] std::uint64_t left() const { return end_ - next_; }
  [[nodiscard]] std::uint64_t take() { return next_++; }  // precondition: left()

 private:
  std::uint64_t next_ = 0, end_ = 0;
};

}  // namespace ts2021::coord

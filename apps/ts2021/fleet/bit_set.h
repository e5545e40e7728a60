// SPDX-License-Identifier: BSD-3-Clause
// A set of node numbers.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ts2021::app::fleet {

class BitSet {
 public:
  BitSet() = default;
  explicit BitSet(std::size_t size) : words_((size + 63) / 64) {}

  [[nodiscard]] bool has(std::size_t i) const noexcept { return (words_[i / 64] >> (i % 64) & 1) != 0; }
  // Both return whether that changed something.
  bool insert(std::size_t i) noexcept {
    if (has(i)) return false;
    words_[i / 64] |= std::uint64_t{1} << (i % 64);
    ++count_;
    return true;
  }
  bool erase(std::size_t i) noexcept {
    if (!has(i)) return false;
    words_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
    --count_;
    return true;
  }
  void clear() noexcept {
    for (auto& word : words_) word = 0;
    count_ = 0;
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

  // Those that are here and not in `other`, which has the same size; stops when `take` returns false.
  template <class Take>
  void for_each_beyond(const BitSet& other, Take&& take) const {
    for (std::size_t w = 0; w < words_.size(); ++w)
      for (std::uint64_t left = words_[w] & ~other.words_[w]; left != 0; left &= left - 1)
        if (!take(w * 64 + static_cast<std::size_t>(std::countr_zero(left)))) return;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t count_ = 0;
};

}  // namespace ts2021::app::fleet

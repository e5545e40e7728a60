// SPDX-License-Identifier: BSD-3-Clause
// Places of some pages each for objects of which mostly a part is used: pages that nobody has written to cost
// nothing. An HTTP/2 session of 26 KiB, 16 of which are a buffer for frames that are seldom large, takes 8
// KiB there.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace ts2021 {

// Belongs to one thread; outlives its users. Memory goes back to the system with the pool.
class SlotPool {
 public:
  static constexpr std::size_t page_size = 4096;
  static constexpr std::size_t slot_size = 7 * page_size;
  static constexpr std::size_t slots_per_slab = 256;  // 7 MiB of addresses

  SlotPool() noexcept = default;
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  // slot_size bytes from the beginning of a page on, with whatever is in them; null without memory.
  [[nodiscard]] void* take() noexcept;
  void give(void* slot) noexcept;

  [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }
  [[nodiscard]] std::size_t slabs() const noexcept { return slabs_.size(); }

 private:
  struct Delete {
    void operator()(std::byte* slab) const noexcept {
      ::operator delete[](slab, std::align_val_t{page_size});
    }
  };

  std::vector<std::unique_ptr<std::byte[], Delete>> slabs_;
  std::vector<void*> free_;  // not a list in the slots, which would write to a page of theirs
  std::size_t fresh_ = 0;    // slots of the last slab that were never taken
  std::size_t in_use_ = 0;
};

}  // namespace ts2021

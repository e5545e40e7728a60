// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/base/slot_pool.h"

namespace ts2021 {

void* SlotPool::take() noexcept {
  if (!free_.empty()) {
    void* const slot = free_.back();
    free_.pop_back();
    ++in_use_;
    return slot;
  }
  if (fresh_ == 0) {
    void* const slab = ::operator new[](slots_per_slab* slot_size, std::align_val_t{page_size}, std::nothrow);
    if (!slab) return nullptr;
    slabs_.emplace_back(static_cast<std::byte*>(slab));
    fresh_ = slots_per_slab;
    free_.reserve(slabs_.size() * slots_per_slab);
  }
  ++in_use_;
  return slabs_.back().get() + (slots_per_slab - fresh_--) * slot_size;
}

void SlotPool::give(void* slot) noexcept {
  free_.push_back(slot);  // never beyond what was reserved
  --in_use_;
}

}  // namespace ts2021

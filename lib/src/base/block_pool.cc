// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/base/block_pool.h"

#include <new>

namespace ts2021 {

BlockPool::~BlockPool() {
  while (free_) {
    Block* const next = free_->next;
    delete free_;
    free_ = next;
  }
}

Block* BlockPool::acquire() noexcept {
  ++requests_;
  if (in_use_ >= limit_ || (fail_at_ != 0 && requests_ >= fail_at_)) return nullptr;
  Block* block = free_;
  if (block) {
    free_ = block->next;
    --free_count_;
  } else {
    block = new (std::nothrow) Block;
    if (!block) return nullptr;
  }
  block->next = nullptr;
  block->begin = block->end = 0;
  ++in_use_;
  return block;
}

void BlockPool::release(Block* block) noexcept {
  if (!block) return;
  --in_use_;
  if (free_count_ >= keep_) {
    delete block;
    return;
  }
  block->next = free_;
  free_ = block;
  ++free_count_;
}

}  // namespace ts2021

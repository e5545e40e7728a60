// SPDX-License-Identifier: BSD-3-Clause
// Bytes on their way out, in blocks of a pool. An empty queue holds no block.
#pragma once

#include <cstddef>
#include <span>

#include "ts2021/base/block_pool.h"
#include "ts2021/base/bytes.h"

namespace ts2021 {

class ByteQueue {
 public:
  // limit: bytes queued at a time. The pool must outlive the queue.
  ByteQueue(BlockPool& pool, std::size_t limit) noexcept : pool_(&pool), limit_(limit) {}
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;
  ~ByteQueue() { clear(); }

  // Contiguous room behind the last byte, `at_least` (up to block_size) or more; empty when the limit would
  // be passed or the pool has no block. Lives until the next call; nothing is queued before commit().
  [[nodiscard]] MutableBytes prepare(std::size_t at_least) noexcept;
  // Queues the first n bytes of what prepare() returned last.
  void commit(std::size_t n) noexcept;
  // Copies everything or nothing.
  [[nodiscard]] bool append(Bytes bytes) noexcept;

  // Views of the oldest bytes, for writev; returns how many views. They live until the next call.
  [[nodiscard]] std::size_t gather(std::span<Bytes> pieces) const noexcept;
  // Drops the n oldest bytes; an emptied block goes back to the pool.
  void consume(std::size_t n) noexcept;
  void clear() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }
  // Bytes that may be queued before the limit.
  [[nodiscard]] std::size_t room() const noexcept { return size_ < limit_ ? limit_ - size_ : 0; }

 private:
  BlockPool* pool_;
  std::size_t limit_, size_ = 0;
  Block* head_ = nullptr;
  Block* tail_ = nullptr;
};

}  // namespace ts2021

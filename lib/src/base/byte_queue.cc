// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/base/byte_queue.h"

#include <algorithm>
#include <cstring>

namespace ts2021 {

MutableBytes ByteQueue::prepare(std::size_t at_least) noexcept {
  if (at_least > block_size || at_least > room()) return {};
  if (!tail_ || block_size - tail_->end < at_least) {
    Block* const block = pool_->acquire();
    if (!block) return {};
    (tail_ ? tail_->next : head_) = block;
    tail_ = block;
  }
  return MutableBytes(tail_->data + tail_->end, std::min<std::size_t>(block_size - tail_->end, room()));
}

void ByteQueue::commit(std::size_t n) noexcept {
  tail_->end += static_cast<std::uint32_t>(n);
  size_ += n;
}

bool ByteQueue::append(Bytes bytes) noexcept {
  if (bytes.empty()) return true;
  if (bytes.size() > room()) return false;
  // Blocks are acquired before anything is copied, so that a refusal leaves the queue as it was.
  std::size_t missing = bytes.size();
  if (tail_) missing -= std::min<std::size_t>(missing, block_size - tail_->end);
  Block* fresh = nullptr;
  Block** link = &fresh;
  for (std::size_t got = 0; got < missing; got += block_size) {
    *link = pool_->acquire();
    if (!*link) {
      while (fresh) {
        Block* const next = fresh->next;
        pool_->release(fresh);
        fresh = next;
      }
      return false;
    }
    link = &(*link)->next;
  }
  (tail_ ? tail_->next : head_) = fresh;
  if (!tail_) tail_ = head_;
  size_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t n = std::min<std::size_t>(bytes.size(), block_size - tail_->end);
    std::memcpy(tail_->data + tail_->end, bytes.data(), n);
    tail_->end += static_cast<std::uint32_t>(n);
    bytes = bytes.subspan(n);
    if (!bytes.empty()) tail_ = tail_->next;
  }
  return true;
}

std::size_t ByteQueue::gather(std::span<Bytes> pieces) const noexcept {
  std::size_t count = 0;
  for (const Block* b = head_; b && count < pieces.size(); b = b->next)
    if (b->end > b->begin) pieces[count++] = Bytes(b->data + b->begin, b->end - b->begin);
  return count;
}

void ByteQueue::consume(std::size_t n) noexcept {
  size_ -= std::min(n, size_);
  while (head_) {
    const std::size_t here = std::min<std::size_t>(n, head_->end - head_->begin);
    head_->begin += static_cast<std::uint32_t>(here);
    n -= here;
    if (head_->begin < head_->end) return;
    Block* const next = head_->next;
    pool_->release(head_);
    head_ = next;
    if (!head_) tail_ = nullptr;
  }
}

void ByteQueue::clear() noexcept {
  while (head_) {
    Block* const next = head_->next;
    pool_->release(head_);
    head_ = next;
  }
  tail_ = nullptr;
  size_ = 0;
}

}  // namespace ts2021

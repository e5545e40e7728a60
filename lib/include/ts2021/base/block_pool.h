// SPDX-License-Identifier: BSD-3-Clause
// Fixed blocks of memory for the connections of one thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ts2021 {

// Four full records, or the longest run of output that one piece of a writev takes.
inline constexpr std::size_t block_size = 16 << 10;

struct Block {
  Block* next = nullptr;
  std::uint32_t begin = 0, end = 0;  // the used part, for whoever holds the block
  std::uint8_t data[block_size];
};

// Hands out blocks up to a limit and keeps some that came back. Belongs to one thread; outlives its users.
class BlockPool {
 public:
  // limit: blocks in use at a time. keep: free blocks that are kept rather than returned to the system.
  explicit BlockPool(std::size_t limit, std::size_t keep = 64) noexcept : limit_(limit), keep_(keep) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  // Null at the limit or without memory. The block's begin and end are zero, its bytes are not.
  [[nodiscard]] Block* acquire() noexcept;
  void release(Block* block) noexcept;

  [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }
  [[nodiscard]] std::size_t requests() const noexcept { return requests_; }
  // For tests: makes the nth request from now on (1 is the next) and all later ones fail; 0 ends that.
  void fail_request(std::size_t nth) noexcept { fail_at_ = nth == 0 ? 0 : requests_ + nth; }

 private:
  std::size_t limit_, keep_;
  std::size_t in_use_ = 0, free_count_ = 0, requests_ = 0, fail_at_ = 0;
  Block* free_ = nullptr;
};

}  // namespace ts2021

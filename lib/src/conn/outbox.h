// SPDX-License-Identifier: BSD-3-Clause
// What waits for the socket, and since when.
#pragma once

#include <chrono>
#include <optional>
#include <span>

#include "ts2021/base/byte_queue.h"
#include "ts2021/base/time.h"

namespace ts2021::conn {

class Outbox {
 public:
  Outbox(BlockPool& blocks, std::size_t limit) : queue(blocks, limit) {}

  // Views of what waits; the stall begins with the first that does. 0: nothing waits, or no block is free.
  [[nodiscard]] std::size_t offer(std::span<Bytes> pieces, Instant now) {
    const std::size_t count = queue.gather(pieces);
    if (count == 0 && !starved_)
      stalled_since_.reset();
    else if (!stalled_since_)
      stalled_since_ = now;
    return count;
  }
  void sent(std::size_t n, Instant now) {
    queue.consume(n);
    stalled_since_.reset();
    if (!queue.empty()) stalled_since_ = now;
  }
  // Whoever fills the queue says whether something had to stay outside although the queue is empty.
  void note_backlog(bool backlog) { starved_ = backlog && queue.empty(); }
  [[nodiscard]] bool starved() const noexcept { return starved_; }
  [[nodiscard]] bool has_room() const noexcept { return queue.size() < queue.limit() / 2; }
  void drop() {
    queue.clear();
    starved_ = false;
    stalled_since_.reset();
  }

  // When the peer has taken nothing for too long.
  [[nodiscard]] std::optional<Instant> stall_deadline(std::chrono::nanoseconds limit) const noexcept {
    if (!stalled_since_) return std::nullopt;
    return *stalled_since_ + limit;
  }
  // When to look for a free block again.
  [[nodiscard]] std::optional<Instant> retry(Instant last) const noexcept {
    if (!starved_) return std::nullopt;
    return last + std::chrono::milliseconds{50};
  }

  ByteQueue queue;

 private:
  bool starved_ = false;
  std::optional<Instant> stalled_since_;
};

// The earlier of two deadlines that may be absent.
[[nodiscard]] inline std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  return !a || (b && *b < *a) ? b : a;
}

}  // namespace ts2021::conn

// SPDX-License-Identifier: BSD-3-Clause
// Where nghttp2 keeps a session: what it allocates at the start lies in one slot, the frame buffer last.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>

#include "ts2021/base/slot_pool.h"

namespace ts2021::h2 {

class SessionMemory {
 public:
  // Null: all from the heap, which is where everything goes that does not fit.
  explicit SessionMemory(SlotPool* slots) noexcept
      : slots_(slots), slot_(slots ? static_cast<std::byte*>(slots->take()) : nullptr) {}
  SessionMemory(const SessionMemory&) = delete;
  SessionMemory& operator=(const SessionMemory&) = delete;
  ~SessionMemory() {
    if (slot_) slots_->give(slot_);
  }

  // For nghttp2_session_*_new3(). The session is gone before this object.
  [[nodiscard]] nghttp2_mem hook() noexcept;
  // What is allocated from now on may be given back long before the session ends: it comes from the heap.
  void begin_life() noexcept { living_ = true; }

 private:
  // The small parts of a session, and its buffer for frames of 16 KiB and a head.
  static constexpr std::size_t frame_buffer_at = 9'728;
  static constexpr std::size_t frame_buffer_least = 16 << 10;

  struct Hooks;
  [[nodiscard]] bool has(const void* memory) const noexcept {
    const auto* const at = static_cast<const std::byte*>(memory);
    return slot_ && at >= slot_ && at < slot_ + SlotPool::slot_size;
  }
  [[nodiscard]] void* place(std::size_t size) noexcept;
  [[nodiscard]] void* allocate(std::size_t size) noexcept;

  SlotPool* slots_;
  std::byte* slot_;
  std::size_t used_ = 0;
  bool living_ = false, buffer_placed_ = false;
};

}  // namespace ts2021::h2

// SPDX-License-Identifier: BSD-3-Clause
// Where nghttp2 keeps a session: what it allocates at the start lies in one slot, so that an idle session has
// written to two pages of it.
//
//   page 0     the ring of header fields sent, which H2-4 leaves empty; the ring of those received
//   page 1     whose end is written first; the session itself; the buffer for frames
//   pages 2–5  the rest of the buffer, for heads and control frames that are seldom large
//   page 6     the table of streams
//
// Parts are told apart by their sizes, which are those of nghttp2 1.52: others take more pages, or the heap.
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
  struct Place {
    std::uint16_t next, end;  // offsets in the slot
  };
  static constexpr std::uint16_t page = SlotPool::page_size;
  static constexpr std::uint16_t ring_size = 1024;
  static constexpr std::uint16_t ring_written = 256;       // bytes of a ring's end: 32 header fields
  static constexpr std::uint16_t buffer_at = page + 3248;  // before page 2: a frame of 840 bytes
  static constexpr std::uint16_t buffer_least = 16 << 10;

  struct Hooks;
  [[nodiscard]] bool has(const void* memory) const noexcept {
    const auto* const at = static_cast<const std::byte*>(memory);
    return slot_ && at >= slot_ && at < slot_ + SlotPool::slot_size;
  }
  [[nodiscard]] std::size_t room_behind(const void* memory) const noexcept {
    return static_cast<std::size_t>(slot_ + SlotPool::slot_size - static_cast<const std::byte*>(memory));
  }
  [[nodiscard]] Place& place_for(std::size_t size) noexcept;
  [[nodiscard]] void* allocate(std::size_t size) noexcept;

  SlotPool* slots_;
  std::byte* slot_;
  Place sent_ring_{0, ring_size};
  Place received_ring_{page + ring_written - ring_size, page + ring_written};
  Place small_{page + ring_written, buffer_at};
  Place buffer_{buffer_at, 6 * page};
  Place table_{6 * page, 7 * page};
  bool living_ = false;
};

}  // namespace ts2021::h2

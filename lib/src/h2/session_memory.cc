// SPDX-License-Identifier: BSD-3-Clause
#include "h2/session_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace ts2021::h2 {
namespace {

constexpr std::size_t alignment = alignof(std::max_align_t);
struct alignas(alignment) Head {
  std::size_t size;
};

}  // namespace

struct SessionMemory::Hooks {
  static SessionMemory& of(void* user) noexcept { return *static_cast<SessionMemory*>(user); }

  static void* malloc(std::size_t size, void* user) { return of(user).allocate(size); }
  static void free(void* memory, void* user) {
    if (!of(user).has(memory)) std::free(memory);
  }
  static void* calloc(std::size_t count, std::size_t size, void* user) {
    if (size != 0 && count > SIZE_MAX / size) return nullptr;
    void* const memory = of(user).allocate(count * size);
    if (memory) std::memset(memory, 0, count * size);
    return memory;
  }
  static void* realloc(void* memory, std::size_t size, void* user) {
    SessionMemory& session = of(user);
    if (!memory) return session.allocate(size);
    if (!session.has(memory)) return std::realloc(memory, size);
    void* const moved = std::malloc(size);
    if (moved) std::memcpy(moved, memory, std::min(size, (static_cast<Head*>(memory) - 1)->size));
    return moved;
  }
};

nghttp2_mem SessionMemory::hook() noexcept {
  return {this, Hooks::malloc, Hooks::free, Hooks::calloc, Hooks::realloc};
}

void* SessionMemory::allocate(std::size_t size) noexcept {
  void* const placed = slot_ && !living_ ? place(size) : nullptr;
  return placed ? placed : std::malloc(size);
}

void* SessionMemory::place(std::size_t size) noexcept {
  const bool buffer = size >= frame_buffer_least;
  const std::size_t at = buffer ? frame_buffer_at : used_;
  const std::size_t end = buffer ? SlotPool::slot_size : frame_buffer_at;
  if ((buffer && buffer_placed_) || size > end - at || sizeof(Head) > end - at - size) return nullptr;
  auto* const head = ::new (slot_ + at) Head{size};
  if (buffer)
    buffer_placed_ = true;
  else
    used_ += sizeof(Head) + (size + alignment - 1) / alignment * alignment;
  return head + 1;
}

}  // namespace ts2021::h2

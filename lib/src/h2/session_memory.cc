// SPDX-License-Identifier: BSD-3-Clause
#include "h2/session_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace ts2021::h2 {

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
  // What lay in the slot has no size of its own: what is behind it may be copied, too.
  static void* realloc(void* memory, std::size_t size, void* user) {
    SessionMemory& session = of(user);
    if (!memory) return session.allocate(size);
    if (!session.has(memory)) return std::realloc(memory, size);
    void* const moved = std::malloc(size);
    if (moved) std::memcpy(moved, memory, std::min(size, session.room_behind(memory)));
    return moved;
  }
};

nghttp2_mem SessionMemory::hook() noexcept {
  return {this, Hooks::malloc, Hooks::free, Hooks::calloc, Hooks::realloc};
}

SessionMemory::Place& SessionMemory::place_for(std::size_t size) noexcept {
  if (size >= buffer_least) return buffer_;
  if (size == page) return table_;
  if (size != ring_size) return small_;
  return sent_ring_.next == 0 ? sent_ring_ : received_ring_;
}

void* SessionMemory::allocate(std::size_t size) noexcept {
  if (!slot_ || living_) return std::malloc(size);
  Place& place = place_for(size);
  if (size > std::size_t{place.end} - place.next) return std::malloc(size);
  std::byte* const memory = slot_ + place.next;
  constexpr std::size_t alignment = alignof(std::max_align_t);
  const std::size_t next = place.next + (size + alignment - 1) / alignment * alignment;
  place.next = static_cast<std::uint16_t>(std::min<std::size_t>(next, place.end));
  return memory;
}

}  // namespace ts2021::h2

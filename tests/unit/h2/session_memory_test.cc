// SPDX-License-Identifier: BSD-3-Clause
#include "h2/session_memory.h"

#include <cstring>

#include "h2_support.h"

namespace ts2021::h2::test {
namespace {

bool inside(const void* slot, const void* memory) {
  const auto* const at = static_cast<const std::byte*>(memory);
  const auto* const from = static_cast<const std::byte*>(slot);
  return at >= from && at < from + SlotPool::slot_size;
}

}  // namespace

TEST_CASE("what a session allocates at its start lies in its slot, the frame buffer last") {
  SlotPool slots;
  void* const slot = slots.take();
  std::memset(slot, 0xff, SlotPool::slot_size);
  slots.give(slot);  // the next to be taken
  SessionMemory memory(&slots);
  const nghttp2_mem hook = memory.hook();
  auto* const small = static_cast<char*>(hook.malloc(100, hook.mem_user_data));
  auto* const zeros = static_cast<char*>(hook.calloc(10, 10, hook.mem_user_data));
  auto* const buffer = static_cast<char*>(hook.malloc(16'394, hook.mem_user_data));
  CHECK(inside(slot, small));
  CHECK(inside(slot, zeros));
  CHECK(inside(slot, buffer));
  CHECK(inside(slot, buffer + 16'393));
  CHECK(buffer > zeros);
  CHECK(zeros >= small + 100);
  for (int i = 0; i < 100; ++i) CHECK(zeros[i] == 0);
  // A second buffer, and what does not fit any more, are on the heap.
  void* const second = hook.malloc(16'394, hook.mem_user_data);
  void* const large = hook.malloc(10'000, hook.mem_user_data);
  CHECK(!inside(slot, second));
  CHECK(!inside(slot, large));
  std::strcpy(small, "kept");
  auto* const grown = static_cast<char*>(hook.realloc(small, 5'000, hook.mem_user_data));
  CHECK(std::string(grown) == "kept");
  memory.begin_life();
  void* const later = hook.malloc(10, hook.mem_user_data);
  CHECK(!inside(slot, later));
  for (void* const each : {static_cast<void*>(grown), static_cast<void*>(zeros), static_cast<void*>(buffer),
                           second, large, later})
    hook.free(each, hook.mem_user_data);
  CHECK(hook.calloc(SIZE_MAX, 2, hook.mem_user_data) == nullptr);
}

TEST_CASE("a session takes a slot and gives it back") {
  SlotPool slots;
  {
    ServerSession session(routes, {}, false, &slots);
    CHECK(slots.in_use() == 1);
  }
  CHECK(slots.in_use() == 0);
}

}  // namespace ts2021::h2::test

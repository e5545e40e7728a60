// SPDX-License-Identifier: BSD-3-Clause
#include "h2/session_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "h2_support.h"

namespace ts2021::h2::test {
namespace {

bool inside(const void* slot, const void* memory) {
  const auto* const at = static_cast<const std::byte*>(memory);
  const auto* const from = static_cast<const std::byte*>(slot);
  return at >= from && at < from + SlotPool::slot_size;
}

}  // namespace

TEST_CASE("what a session allocates at its start lies in its slot") {
  SlotPool slots;
  void* const slot = slots.take();
  std::memset(slot, 0xff, SlotPool::slot_size);
  slots.give(slot);  // the next to be taken
  SessionMemory memory(&slots);
  const nghttp2_mem hook = memory.hook();
  struct Part {
    char* at;
    std::size_t size;
  };
  std::vector<Part> parts;
  const auto made = [&](void* at, std::size_t size) {
    parts.push_back({static_cast<char*>(at), size});
    return parts.back().at;
  };
  char* const small = made(hook.malloc(100, hook.mem_user_data), 100);
  char* const zeros = made(hook.calloc(10, 10, hook.mem_user_data), 100);
  char* const table = made(hook.calloc(256, 16, hook.mem_user_data), 4'096);
  char* const buffer = made(hook.malloc(16'394, hook.mem_user_data), 16'394);
  for (int ring = 0; ring < 2; ++ring) made(hook.malloc(1'024, hook.mem_user_data), 1'024);
  for (const Part& one : parts) {
    CHECK(inside(slot, one.at));
    CHECK(inside(slot, one.at + one.size - 1));
    CHECK(reinterpret_cast<std::uintptr_t>(one.at) % alignof(std::max_align_t) == 0);
    for (const Part& other : parts)
      CHECK((&one == &other || one.at + one.size <= other.at || other.at + other.size <= one.at));
  }
  CHECK(reinterpret_cast<std::uintptr_t>(table) % SlotPool::page_size == 0);
  for (int i = 0; i < 100; ++i) CHECK(zeros[i] == 0);
  for (int i = 0; i < 4'096; ++i) CHECK(table[i] == 0);
  // A second buffer, a third ring, and what does not fit any more, are on the heap.
  void* const second = hook.malloc(16'394, hook.mem_user_data);
  void* const third = hook.malloc(1'024, hook.mem_user_data);
  void* const large = hook.malloc(10'000, hook.mem_user_data);
  for (void* const each : {second, third, large}) CHECK(!inside(slot, each));
  std::strcpy(small, "kept");
  auto* const grown = static_cast<char*>(hook.realloc(small, 5'000, hook.mem_user_data));
  CHECK(std::string(grown) == "kept");
  memory.begin_life();
  void* const later = hook.malloc(10, hook.mem_user_data);
  CHECK(!inside(slot, later));
  auto* const end =
      static_cast<char*>(hook.realloc(buffer, 60'000, hook.mem_user_data));  // more than is left
  CHECK(!inside(slot, end));
  for (void* const each : {static_cast<void*>(grown), static_cast<void*>(end), static_cast<void*>(zeros),
                           second, third, large, later})
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

#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)  // these fill what is allocated
TEST_CASE("a session with a stream has written to two pages of its slot") {
  SlotPool slots;
  void* const slot = slots.take();
  REQUIRE(madvise(slot, SlotPool::slot_size, MADV_DONTNEED) == 0);  // as if nobody had used it before
  slots.give(slot);
  ServerSession server(routes, {}, false, &slots);
  ClientSession client({});
  ts2021::test::Clock clock;
  const auto run = [&] {
    for (int i = 0; i < 4; ++i) {
      REQUIRE(server.feed(drain(client), clock.now));
      REQUIRE(client.feed(drain(server), clock.now));
    }
  };
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.request({.authority = "a.example", .path = "/machine/map"}, share("{}")));
    run();
    auto event = server.next_event();
    while (event && !std::holds_alternative<Request>(*event)) event = server.next_event();
    REQUIRE(event);
    const StreamId stream = std::get<Request>(*event).stream;
    REQUIRE(server.start_stream(stream, {200, "application/json", {}}));
    const SharedBytes message = share(std::string(50'000, 'x'));
    REQUIRE(server.push(stream, std::span(&message, 1)));
    server.release(stream);
    run();
  }
  std::array<unsigned char, SlotPool::slot_size / SlotPool::page_size> resident{};
  REQUIRE(mincore(slot, SlotPool::slot_size, resident.data()) == 0);
  const auto pages = std::count_if(resident.begin(), resident.end(), [](auto page) { return page & 1; });
  // Other versions divide their memory differently.
  CHECK(pages <= (std::string_view(NGHTTP2_VERSION) == "1.52.0" ? 2 : 5));
}
#endif

}  // namespace ts2021::h2::test

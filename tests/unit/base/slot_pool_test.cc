// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/base/slot_pool.h"

#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

#include "support/catch.h"

namespace ts2021::test {

TEST_CASE("slots begin on pages of their own and don't overlap") {
  SlotPool pool;
  std::set<std::uintptr_t> places;
  std::vector<void*> slots;
  for (std::size_t i = 0; i < SlotPool::slots_per_slab + 3; ++i) {
    void* const slot = pool.take();
    REQUIRE(slot);
    std::memset(slot, static_cast<int>(i), SlotPool::slot_size);
    slots.push_back(slot);
    places.insert(reinterpret_cast<std::uintptr_t>(slot));
  }
  CHECK(pool.slabs() == 2);
  CHECK(places.size() == slots.size());
  std::uintptr_t last = 0;
  for (const std::uintptr_t place : places) {
    CHECK(place % SlotPool::page_size == 0);
    CHECK((last == 0 || place - last >= SlotPool::slot_size));
    last = place;
  }
  for (std::size_t i = 0; i < slots.size(); ++i)
    CHECK(static_cast<unsigned char*>(slots[i])[SlotPool::slot_size - 1] == i % 256);
  for (void* const slot : slots) pool.give(slot);
  CHECK(pool.in_use() == 0);
}

TEST_CASE("a slot that came back is taken again before a fresh one") {
  SlotPool pool;
  void* const first = pool.take();
  void* const second = pool.take();
  pool.give(first);
  CHECK(pool.take() == first);
  pool.give(second);
  pool.give(first);
  CHECK(pool.take() == first);
  CHECK(pool.take() == second);
  CHECK(pool.in_use() == 2);
  CHECK(pool.slabs() == 1);
}

}  // namespace ts2021::test

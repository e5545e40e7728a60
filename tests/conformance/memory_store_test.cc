// SPDX-License-Identifier: BSD-3-Clause
#include "store/memory_store.h"

#include "conformance/store_suite.h"
#include "support/catch.h"
#include "support/slow_store.h"

namespace ts2021::test {
namespace {

struct MemoryWorld : StoreWorld {
  std::unique_ptr<Store> open() override { return std::make_unique<MemoryStore>(records); }
  std::shared_ptr<MemoryRecords> records = std::make_shared<MemoryRecords>();
};

// Owns what SlowStore borrows, and is told when time passes.
class OwnedSlowStore final : public Store {
 public:
  OwnedSlowStore(std::shared_ptr<MemoryRecords> records, std::uint64_t seed,
                 std::vector<OwnedSlowStore*>& all)
      : inner_(std::move(records)), slow(inner_, seed), all_(all) {
    all_.push_back(this);
  }
  ~OwnedSlowStore() override { std::erase(all_, this); }
  void watch(Revision after) override { slow.watch(after); }
  void submit(Ticket ticket, std::span<const Write> work) override { slow.submit(ticket, work); }
  std::size_t poll(std::span<StoreEvent> out) override { return slow.poll(out); }

 private:
  MemoryStore inner_;

 public:
  SlowStore slow;

 private:
  std::vector<OwnedSlowStore*>& all_;
};

struct SlowWorld : StoreWorld {
  explicit SlowWorld(std::uint64_t from) : seed(from) {}
  std::unique_ptr<Store> open() override { return std::make_unique<OwnedSlowStore>(records, ++seed, all); }
  void settle() override {
    for (auto* store : all) store->slow.step();
  }
  std::uint64_t seed;
  std::shared_ptr<MemoryRecords> records = std::make_shared<MemoryRecords>();
  std::vector<OwnedSlowStore*> all;
};

}  // namespace

TEST_CASE("MemoryStore is a store") {
  store_suite([] { return std::make_unique<MemoryWorld>(); });
}

TEST_CASE("a store that answers late and out of order is a store") {
  const std::uint64_t seed = GENERATE(1u, 2u, 3u, 4u, 5u);
  store_suite([seed] { return std::make_unique<SlowWorld>(seed * 100); });
}

}  // namespace ts2021::test

// SPDX-License-Identifier: BSD-3-Clause
// Records in memory: the reference Store, for tests, examples and servers that may forget.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "ts2021/coord/store.h"

namespace ts2021 {

// What several stores of one thread share: each MemoryStore is a handle of one writer.
class MemoryRecords {
 public:
  MemoryRecords() = default;
  MemoryRecords(const MemoryRecords&) = delete;
  MemoryRecords& operator=(const MemoryRecords&) = delete;

  [[nodiscard]] std::size_t size() const;  // records that exist

 private:
  friend class MemoryStore;
  using Key = std::pair<RecordKind, std::uint64_t>;
  struct Entry {
    Revision revision{};
    RecordPtr record;  // null: deleted, kept so that a watch can tell
  };

  std::map<Key, Entry> entries_;
  Revision head_{};
  std::vector<std::deque<StoreEvent>*> watches_;
};

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryRecords> records = std::make_shared<MemoryRecords>());
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;
  ~MemoryStore() override;

  void watch(Revision after) override;
  void submit(Ticket ticket, std::span<const Write> transaction) override;
  [[nodiscard]] std::size_t poll(std::span<StoreEvent> out) override;

  [[nodiscard]] const std::shared_ptr<MemoryRecords>& records() const { return records_; }

 private:
  std::shared_ptr<MemoryRecords> records_;
  std::deque<StoreEvent> events_;
};

}  // namespace ts2021

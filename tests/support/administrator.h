// SPDX-License-Identifier: BSD-3-Clause
// Somebody who changes records by another handle of the same store.
#pragma once

#include <map>
#include <memory>

#include "store/memory_store.h"

namespace ts2021::test {

class Administrator {
 public:
  explicit Administrator(std::shared_ptr<MemoryRecords> records) : store_(std::move(records)) {
    store_.watch(Revision{});
  }

  // False when there is no such node.
  template <class How>
  bool change(NodeId id, How how) {
    look();
    const auto at = known_.find(static_cast<std::uint64_t>(id));
    if (at == known_.end()) return false;
    NodeRecord record = std::get<NodeRecord>(*at->second.record);
    how(record);
    put(RecordKind::node, at->first, at->second.revision, std::make_shared<const Record>(std::move(record)));
    return true;
  }
  void remove(NodeId id) {
    look();
    const auto at = known_.find(static_cast<std::uint64_t>(id));
    if (at != known_.end()) put(RecordKind::node, at->first, at->second.revision, nullptr);
  }
  template <class How>
  void change_users(How how) {
    look();
    for (const auto& [id, stored] : users_) {
      UserRecord record = std::get<UserRecord>(*stored.record);
      how(record);
      put(RecordKind::user, id, stored.revision, std::make_shared<const Record>(std::move(record)));
    }
    look();
  }

 private:
  struct Stored {
    Revision revision{};
    RecordPtr record;
  };
  void look() {
    StoreEvent event;
    while (store_.poll({&event, 1}) == 1) {
      const auto* changed = std::get_if<Changed>(&event);
      if (!changed || (changed->kind != RecordKind::node && changed->kind != RecordKind::user)) continue;
      auto& table = changed->kind == RecordKind::node ? known_ : users_;
      if (changed->record)
        table[changed->id] = {changed->revision, changed->record};
      else
        table.erase(changed->id);
    }
  }
  void put(RecordKind kind, std::uint64_t id, Revision expected, RecordPtr record) {
    const Write write{kind, id, expected, std::move(record)};
    store_.submit(Ticket{++tickets_}, {&write, 1});
  }

  MemoryStore store_;
  std::map<std::uint64_t, Stored> known_, users_;
  std::uint64_t tickets_ = 0;
};

}  // namespace ts2021::test

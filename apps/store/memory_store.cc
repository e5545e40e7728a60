// SPDX-License-Identifier: BSD-3-Clause
#include "store/memory_store.h"

#include <algorithm>
#include <optional>
#include <set>

namespace ts2021 {
namespace {

using Key = std::pair<RecordKind, std::uint64_t>;

std::optional<Error> misuse(std::span<const Write> transaction) {
  if (transaction.empty()) return fail(Errc::misuse, 990);
  std::set<Key> seen;
  for (const Write& write : transaction) {
    if (!seen.emplace(write.kind, write.id).second) return fail(Errc::misuse, 991);
    if (write.record && (kind(*write.record) != write.kind || id(*write.record) != write.id))
      return fail(Errc::misuse, 992);
    if (!write.record && write.expected == Revision{}) return fail(Errc::misuse, 993);
  }
  return std::nullopt;
}

}  // namespace

std::size_t MemoryRecords::size() const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                [](const auto& entry) { return !!entry.second.record; }));
}

MemoryStore::MemoryStore(std::shared_ptr<MemoryRecords> records) : records_(std::move(records)) {}

MemoryStore::~MemoryStore() { std::erase(records_->watches_, &events_); }

void MemoryStore::watch(Revision after) {
  std::erase_if(events_, [](const StoreEvent& event) {
    return std::holds_alternative<Changed>(event) || std::holds_alternative<CaughtUp>(event);
  });
  std::vector<Changed> history;
  for (const auto& [key, entry] : records_->entries_)
    if (entry.revision > after && (entry.record || after != Revision{}))
      history.push_back({entry.revision, key.first, key.second, entry.record});
  std::stable_sort(history.begin(), history.end(),
                   [](const Changed& a, const Changed& b) { return a.revision < b.revision; });
  events_.insert(events_.end(), history.begin(), history.end());
  events_.push_back(CaughtUp{records_->head_});
  if (std::find(records_->watches_.begin(), records_->watches_.end(), &events_) == records_->watches_.end())
    records_->watches_.push_back(&events_);
}

void MemoryStore::submit(Ticket ticket, std::span<const Write> transaction) {
  if (const auto why = misuse(transaction)) {
    events_.push_back(Rejected{ticket, *why});
    return;
  }
  for (const Write& write : transaction) {
    const auto at = records_->entries_.find({write.kind, write.id});
    const bool exists = at != records_->entries_.end() && at->second.record;
    if ((exists ? at->second.revision : Revision{}) != write.expected) {
      events_.push_back(Rejected{ticket, fail(Errc::stale_revision, 994)});
      return;
    }
  }
  const Revision revision = records_->head_ = Revision{static_cast<std::uint64_t>(records_->head_) + 1};
  for (const Write& write : transaction) {
    records_->entries_[{write.kind, write.id}] = {revision, write.record};
    for (auto* watch : records_->watches_)
      watch->push_back(Changed{revision, write.kind, write.id, write.record});
  }
  events_.push_back(Committed{ticket, revision});
}

std::size_t MemoryStore::poll(std::span<StoreEvent> out) {
  const std::size_t n = std::min(out.size(), events_.size());
  std::move(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(n), out.begin());
  events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(n));
  return n;
}

}  // namespace ts2021

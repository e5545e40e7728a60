// SPDX-License-Identifier: BSD-3-Clause
#include "coord/change_log.h"

namespace ts2021::coord {

void ChangeLog::created(NodeId node) {
  if (index_.contains(node)) return;  // ids are never used again
  const Position at = advance();
  order_.push_back({.node = node, .created = at, .latest = at});
  index_.emplace(node, std::prev(order_.end()));
}

void ChangeLog::changed(NodeId node, Parts parts) {
  const auto found = index_.find(node);
  if (parts.empty() || found == index_.end() || found->second->removed) return;
  Entry& entry = *found->second;
  entry.latest = advance();
  for (std::size_t part = 0; part < part_count; ++part)
    if (parts.has(static_cast<Part>(part))) entry.parts[part] = entry.latest;
  order_.splice(order_.end(), order_, found->second);
}

void ChangeLog::removed(NodeId node) {
  const auto found = index_.find(node);
  if (found == index_.end() || found->second->removed) return;
  Entry& entry = *found->second;
  entry.latest = advance();
  entry.removed = true;
  order_.splice(order_.end(), order_, found->second);
  tombstones_.emplace_back(entry.latest, node);
  if (tombstones_.size() > max_tombstones_) {
    floor_ = tombstones_.front().first;
    drop_tombstone();
  }
}

void ChangeLog::forget_removed(Position position) {
  while (!tombstones_.empty() && tombstones_.front().first <= position) drop_tombstone();
}

void ChangeLog::drop_tombstone() {
  const auto found = index_.find(tombstones_.front().second);
  order_.erase(found->second);
  index_.erase(found);
  tombstones_.pop_front();
}

}  // namespace ts2021::coord

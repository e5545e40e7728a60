// SPDX-License-Identifier: BSD-3-Clause
#include "coord/visibility.h"

namespace ts2021::coord {

void Visibility::follow(bool anew) {
  const ChangeLog& log = tailnet_.log();
  if (anew || followed_ < log.floor()) {
    seen_by_.clear();
  } else {
    log.since(followed_, [this](const ChangeLog::Change& change) {
      if (change.created || change.removed || change.parts.has(Part::subject))
        for (auto& [view, seen] : seen_by_) seen.erase(change.node);
    });
  }
  followed_ = log.head();
}

ViewClass Visibility::view_of(const Policy& policy, const NodeState& node) {
  ++evaluations_;
  return policy.view_of(tailnet_.subject(*node.record));
}

bool Visibility::sees(const Policy& policy, ViewClass viewer, const NodeState& peer) {
  auto known = seen_by_.find(viewer);
  if (known == seen_by_.end()) {
    if (seen_by_.size() >= max_views) seen_by_.clear();
    known = seen_by_.try_emplace(viewer).first;
  }
  const auto [answer, is_new] = known->second.try_emplace(peer.record->id);
  if (is_new) {
    ++evaluations_;
    answer->second = policy.sees(viewer, tailnet_.subject(*peer.record));
  }
  return answer->second;
}

}  // namespace ts2021::coord

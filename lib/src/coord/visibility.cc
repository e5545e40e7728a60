// SPDX-License-Identifier: BSD-3-Clause
#include "coord/visibility.h"

#include <algorithm>

namespace ts2021::coord {

void Visibility::follow(bool anew) {
  const ChangeLog& log = tailnet_.log();
  if (anew || followed_ < log.floor()) {
    views_.clear();
  } else {
    log.since(followed_, [this](const ChangeLog::Change& change) {
      if (!change.created && !change.removed && !change.parts.has(Part::subject)) return;
      for (auto& [of, view] : views_) {
        const auto at = std::lower_bound(view.seen.begin(), view.seen.end(), change.node);
        if (at != view.seen.end() && *at == change.node) view.seen.erase(at);
        if (!change.removed) view.unasked.push_back(change.node);
      }
    });
  }
  followed_ = log.head();
}

ViewClass Visibility::view_of(const Policy& policy, const NodeState& node) {
  ++evaluations_;
  return policy.view_of(tailnet_.subject(*node.record));
}

bool Visibility::sees(const Policy& policy, ViewClass viewer, const NodeState& peer) {
  const auto kept = views_.find(viewer);
  if (kept == views_.end()) return ask(policy, viewer, peer);
  settle(policy, viewer, kept->second);
  return std::binary_search(kept->second.seen.begin(), kept->second.seen.end(), peer.record->id);
}

const std::vector<NodeId>& Visibility::seen_by(const Policy& policy, ViewClass viewer) {
  auto kept = views_.find(viewer);
  if (kept == views_.end()) {
    if (views_.size() >= max_views) views_.clear();
    kept = views_.try_emplace(viewer).first;
    for (const auto& [id, node] : tailnet_.nodes()) kept->second.unasked.push_back(id);
  }
  settle(policy, viewer, kept->second);
  return kept->second.seen;
}

bool Visibility::ask(const Policy& policy, ViewClass viewer, const NodeState& peer) {
  ++evaluations_;
  return policy.sees(viewer, tailnet_.subject(*peer.record));
}

void Visibility::settle(const Policy& policy, ViewClass viewer, View& view) {
  if (view.unasked.empty()) return;
  std::sort(view.unasked.begin(), view.unasked.end());
  view.unasked.erase(std::unique(view.unasked.begin(), view.unasked.end()), view.unasked.end());
  const auto before = static_cast<std::ptrdiff_t>(view.seen.size());
  for (const NodeId id : view.unasked)
    if (const NodeState* node = tailnet_.find(id); node && ask(policy, viewer, *node))
      view.seen.push_back(id);
  std::inplace_merge(view.seen.begin(), view.seen.begin() + before, view.seen.end());
  std::vector<NodeId>().swap(view.unasked);
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/grants.h"

#include "ts2021/msg/primitives.h"

namespace ts2021::coord {

void Grants::follow(const Policy& policy, bool anew) {
  const ChangeLog& log = tailnet_.log();
  if (anew || followed_ < log.floor()) {
    of_.clear();
    holders_.clear();
    holders_changed_ = subjects_changed_ = log.head();
    for (const auto& [id, state] : tailnet_.nodes()) ask(policy, id);
  } else {
    log.since(followed_, [&](const ChangeLog::Change& change) {
      if (!change.created && !change.removed && !change.parts.has(Part::subject)) return;
      subjects_changed_ = log.head();
      forget(change.node);
      ask(policy, change.node);
    });
  }
  followed_ = log.head();
}

const Grants::Of& Grants::of(NodeId node) const {
  static const Of nothing;
  const auto at = of_.find(node);
  return at == of_.end() ? nothing : at->second;
}

void Grants::append(std::string_view capability, std::vector<std::string>& sources) const {
  const auto at = holders_.find(std::string(capability));
  if (at == holders_.end()) return;
  for (const NodeId id : at->second) {
    const NodeState* state = tailnet_.find(id);
    if (!state) continue;
    sources.push_back(state->record->v4.text());
    sources.push_back(IpAddress::v6(mapped_v6(state->record->v4)).text());
  }
}

void Grants::ask(const Policy& policy, NodeId node) {
  const NodeState* state = tailnet_.find(node);
  if (!state || !state->record->authorized) return;  // gone, or waits for approval
  const Subject subject = tailnet_.subject(*state->record);
  Of of{policy.source_capabilities(subject), policy.node_attributes(subject)};
  if (of.sources.empty() && of.attributes.empty()) return;
  for (const auto& source : of.sources) {
    holders_[source].insert(node);
    holders_changed_ = tailnet_.log().head();
  }
  of_[node] = std::move(of);
}

void Grants::forget(NodeId node) {
  const auto at = of_.find(node);
  if (at == of_.end()) return;
  for (const auto& source : at->second.sources) {
    const auto holders = holders_.find(source);
    if (holders == holders_.end()) continue;
    holders->second.erase(node);
    if (holders->second.empty()) holders_.erase(holders);
    holders_changed_ = tailnet_.log().head();
  }
  of_.erase(at);
}

}  // namespace ts2021::coord

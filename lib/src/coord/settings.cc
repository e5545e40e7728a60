// SPDX-License-Identifier: BSD-3-Clause
#include "coord/settings.h"

namespace ts2021::coord {

Settings::Messages Settings::messages(NodeId node) const {
  const auto own = own_.find(node);
  if (own == own_.end()) return messages_;
  Messages out = own->second.messages;
  out.insert(messages_.begin(), messages_.end());
  return out;
}

void Settings::dns_changed(Position at) {
  note(Section::dns, at);
  note(Section::self, at);  // a capability goes with certificates
}

void Settings::rules_changed(Position at, WallTime now) {
  note(Section::services, at);
  // TEST-38: one moment, so that equal states give equal maps.
  if (config_.rules.expire_all && !std::exchange(all_expired_, config_.rules.expire_all))
    all_expired_at_ = now - std::chrono::minutes{1};
  all_expired_ = config_.rules.expire_all;
}

void Settings::set_client_version(std::optional<ClientVersion> version, Position at) {
  client_version_ = std::move(version);
  note(Section::client_version, at);
}

void Settings::set_dial_plan(std::optional<ControlDialPlan> plan, Position at) {
  dial_plan_ = std::move(plan);
  note(Section::dial_plan, at);
}

void Settings::set_lock(std::optional<TKAInfo> lock, Position at) {
  lock_ = std::move(lock);
  note(Section::lock, at);
}

void Settings::set_messages(NodeId node, const MessageChanges& changes, Position at) {
  if (node == NodeId{}) {
    apply(messages_, changes);
    return note(Section::messages, at);
  }
  Own& own = own_[node];
  apply(own.messages, changes);
  own.changed[index(Section::messages)] = at;
}

void Settings::apply(Messages& messages, const MessageChanges& changes) {
  if (changes.contains("*")) messages.clear();
  for (const auto& [id, message] : changes)
    if (message && id != "*")
      messages.insert_or_assign(id, *message);
    else
      messages.erase(id);
}

Position Settings::changed(Section section, NodeId node) const {
  const Position all = changed_[index(section)];
  const auto own = own_.find(node);
  return own == own_.end() ? all : std::max(all, own->second.changed[index(section)]);
}

bool Settings::own_news(NodeId node, Position cursor) const {
  // Names of certificates are the node's own.
  if (std::max(changed_[index(Section::self)], changed_[index(Section::dns)]) > cursor) return true;
  const auto own = own_.find(node);
  if (own == own_.end()) return false;
  if (!own->second.messages.empty() && changed_[index(Section::messages)] > cursor) return true;
  return std::any_of(own->second.changed.begin(), own->second.changed.end(),
                     [cursor](Position at) { return at > cursor; });
}

}  // namespace ts2021::coord

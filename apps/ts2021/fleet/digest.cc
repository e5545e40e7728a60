// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/digest.h"

#include <cstring>

namespace ts2021::app::fleet {

std::size_t Directory::KeyHash::operator()(const NodePublic& key) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, key.bytes().data(), sizeof hash);
  return hash;
}

std::optional<std::uint32_t> Directory::find(NodeId id) const {
  const auto found = by_id_.find(static_cast<std::uint64_t>(id));
  return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint32_t> Directory::find(const NodePublic& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? std::nullopt : std::optional(found->second.node);
}

std::optional<std::uint32_t> Directory::learn(const NodeOutline& node) {
  const auto found = by_key_.find(node.key);
  if (found == by_key_.end()) return std::nullopt;
  Entry& entry = found->second;
  if (entry.id != node.id) {
    entry.id = node.id;
    by_id_[static_cast<std::uint64_t>(node.id)] = entry.node;
  }
  return entry.node;
}

std::optional<std::uint32_t> Directory::generation(std::uint32_t node,
                                                   const std::vector<IpPort>& endpoints) const {
  for (const IpPort& endpoint : endpoints)
    if (const auto mark = markers_.read(endpoint); mark && mark->node == node) return mark->generation;
  return std::nullopt;
}

Digest Directory::digest(const MapOutline& message) {
  using What = PeerNews::What;
  Digest out;
  out.keep_alive = message.keep_alive;
  if (message.keep_alive) return out;
  if (message.node) out.self = learn(*message.node);
  out.whole = !message.peers.empty();
  out.news.reserve(message.peers.size() + message.peers_changed.size());
  for (const auto* list : {&message.peers, &message.peers_changed})
    for (const NodeOutline& peer : *list) {
      if (const auto node = learn(peer))
        out.news.push_back({*node, What::listed, peer.online, generation(*node, peer.endpoints)});
      else
        ++out.strangers;
    }
  for (const NodeId id : message.peers_removed)
    if (const auto node = find(id)) out.news.push_back({*node, What::removed, {}, {}});
  for (const PeerChangeOutline& change : message.peers_changed_patch)
    if (const auto node = find(change.node_id))
      out.news.push_back({*node, What::patched, change.online,
                          change.endpoints ? generation(*node, *change.endpoints) : std::nullopt});
  for (const auto& [id, online] : message.online_change)
    if (const auto node = find(id)) out.news.push_back({*node, What::patched, online, {}});
  return out;
}

}  // namespace ts2021::app::fleet

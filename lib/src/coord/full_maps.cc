// SPDX-License-Identifier: BSD-3-Clause
#include "coord/full_maps.h"

#include <algorithm>
#include <utility>

#include "coord/planted.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021::coord {
namespace {

// The members of the message, without the braces around them.
std::string members(MapResponse message, Capability capability) {
  downlevel(message, capability);
  std::string json = encoded(message, capability);
  return json.substr(1, json.size() - 2);
}

}  // namespace

void FullMaps::follow() {
  const ChangeLog& log = tailnet_.log();
  if (followed_ < log.floor()) forget();
  log.since(followed_, [this](const ChangeLog::Change& change) {
    if (change.removed)
      for (auto& [of, peers] : peers_) peers.erase(change.node);
    for (List& list : lists_) {
      Chunk& chunk = std::prev(list.chunks.upper_bound(change.node))->second;
      if (!planted(Planted::keeps_old_chunk)) chunk.stale = true;
    }
  });
  followed_ = log.head();
}

void FullMaps::forget() {
  peers_.clear();
  lists_.clear();
}

std::optional<SharedPieces> FullMaps::make(const Snapshot& snapshot, const Viewer& viewer,
                                           std::optional<Position> told, std::optional<SSHPolicy> ssh,
                                           Compression compression) {
  List& list = list_of(*viewer.view, capability_class(viewer.capability));
  refresh(snapshot, list);

  std::vector<SharedBytes> pieces(1);  // for the head
  const auto add = [&](SharedBytes chunk) {
    if (pieces.size() > 1) pieces.push_back(comma(compression));
    pieces.push_back(std::move(chunk));
  };
  for (auto at = list.chunks.begin(); at != list.chunks.end(); ++at) {
    Chunk& chunk = at->second;
    const bool own = std::binary_search(chunk.peers.begin(), chunk.peers.end(), viewer.node) &&
                     !planted(Planted::lists_viewer);
    if (chunk.peers.size() <= (own ? 1u : 0u)) continue;
    if (own) {
      add(packer_.piece(text_of(snapshot, list, chunk, viewer.node), compression));
      continue;
    }
    SharedBytes& shared = way(chunk.packed, compression);
    if (!shared) shared = packer_.piece(text_of(snapshot, list, chunk, NodeId{}), compression);
    add(shared);
  }
  if (pieces.size() == 1) return std::nullopt;

  MapResponse head = map_without_peers(snapshot, viewer, told, true);
  head.ssh_policy = std::move(ssh);
  const UserId owner = head.node->user;
  const auto relays = std::exchange(head.derp_map, std::nullopt);
  head.user_profiles.clear();
  downlevel(head, viewer.capability, &snapshot.grants);
  std::string json = encoded(head, viewer.capability);
  packer_.count_encoding();
  json.back() = ',';
  json.append("\"Peers\"").append(":[");
  pieces.front() = packer_.piece(json, compression);

  if (std::binary_search(list.owners.begin(), list.owners.end(), owner)) {
    SharedBytes& tail = way(list.tails[relays.has_value()], compression);
    if (!tail) tail = packer_.piece(tail_of(list, std::nullopt, relays), compression);
    pieces.push_back(tail);
  } else {
    pieces.push_back(packer_.piece(tail_of(list, owner, relays), compression));
  }
  return packer_.message(pieces, compression);
}

FullMaps::List& FullMaps::list_of(ViewClass view, CapabilityClass capability) {
  auto at = std::find_if(lists_.begin(), lists_.end(), [&](const List& list) {
    return list.view == view && list.capability == capability;
  });
  if (at == lists_.end()) {
    if (lists_.size() >= max_lists) lists_.pop_back();
    at = lists_.emplace(lists_.begin());
    at->view = view;
    at->capability = capability;
    at->chunks.try_emplace(NodeId{});
  }
  lists_.splice(lists_.begin(), lists_, at);
  return lists_.front();
}

const FullMaps::Peer& FullMaps::written(const Snapshot& snapshot, const NodeState& node, CapabilityClass of) {
  Peer& peer = peers_[of][node.record->id];
  const ChangeLog& log = tailnet_.log();
  if (peer.written != Position{} && peer.written >= log.latest(node.record->id)) return peer;
  MapResponse message;
  message.peers.push_back(peer_node(snapshot, nullptr, node));
  peer.owner = message.peers.front().user;
  peer.written = log.head();
  downlevel(message, lowest(of));
  scratch_.clear();
  if (!message.peers.empty()) encode(message.peers.front(), lowest(of), scratch_);
  peer.json = std::string(scratch_);  // no larger than it must be
  packer_.count_encoding();
  return peer;
}

void FullMaps::refresh(const Snapshot& snapshot, List& list) {
  for (auto at = list.chunks.begin(); at != list.chunks.end(); ++at)
    if (at->second.stale) refresh(snapshot, list, at);
  refresh_tail(snapshot, list);
}

void FullMaps::refresh(const Snapshot& snapshot, List& list, std::map<NodeId, Chunk>::iterator at) {
  const Viewer all{NodeId{}, list.view, lowest(list.capability)};
  const auto& seen = snapshot.visibility.seen_by(snapshot.policy, list.view);
  std::vector<NodeId> peers;
  auto id = std::lower_bound(seen.begin(), seen.end(), at->first);
  const auto collect = [&] {
    const auto next = std::next(at);
    for (; id != seen.end() && (next == list.chunks.end() || *id < next->first); ++id)
      if (const NodeState& node = *tailnet_.find(*id);
          visible(snapshot, all, node) && !written(snapshot, node, list.capability).json.empty())
        peers.push_back(*id);
  };
  collect();
  while (peers.size() <= chunk_size / 4 && std::next(at) != list.chunks.end()) {
    list.chunks.erase(std::next(at));
    collect();
  }
  list.owners_stale = true;
  const auto put = [](Chunk& chunk, std::vector<NodeId> these) {
    chunk.stale = false;
    chunk.peers = std::move(these);
    chunk.packed = {};
  };
  std::size_t from = 0;
  for (Chunk* chunk = &at->second;;) {
    const std::size_t left = peers.size() - from;
    const std::size_t count = left < 2 * chunk_size ? left : chunk_size;
    const auto first = peers.begin() + static_cast<std::ptrdiff_t>(from);
    put(*chunk, {first, first + static_cast<std::ptrdiff_t>(count)});
    from += count;
    if (from == peers.size()) return;
    chunk = &list.chunks[peers[from]];
  }
}

void FullMaps::refresh_tail(const Snapshot& snapshot, List& list) {
  const Position relays = snapshot.settings.changed(Section::derp_map, NodeId{});
  bool renamed = false;
  tailnet_.users_since(list.owners_known, [&](UserId) { renamed = true; });
  if (!list.owners_stale && !renamed && relays == list.relays_known) return;
  std::vector<UserId> owners;
  for (const auto& [first, chunk] : list.chunks)
    for (const NodeId id : chunk.peers) owners.push_back(peers_[list.capability][id].owner);
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  if (owners != list.owners || renamed || relays != list.relays_known) list.tails = {};
  list.owners = std::move(owners);
  list.owners_stale = false;
  list.owners_known = tailnet_.log().head();
  list.relays_known = relays;
}

std::string FullMaps::text_of(const Snapshot& snapshot, const List& list, const Chunk& chunk,
                              NodeId without) {
  std::string text;
  for (const NodeId id : chunk.peers) {
    const NodeState* state = tailnet_.find(id);
    if (!state || id == without) continue;
    if (!text.empty()) text += ',';
    text += written(snapshot, *state, list.capability).json;
  }
  return text;
}

std::string FullMaps::tail_of(const List& list, std::optional<UserId> more,
                              const std::optional<DERPMap>& relays) {
  MapResponse message;
  for (const UserId owner : list.owners) message.user_profiles.push_back(profile(tailnet_, owner));
  if (more) message.user_profiles.push_back(profile(tailnet_, *more));
  if (planted(Planted::misses_profile)) message.user_profiles.resize(1);
  message.derp_map = relays;
  packer_.count_encoding();
  const std::string text = members(std::move(message), lowest(list.capability));
  return text.empty() ? "]}" : "]," + text + "}";
}

SharedBytes FullMaps::comma(Compression compression) {
  SharedBytes& made = way(comma_, compression);
  if (!made) made = packer_.piece(",", compression);
  return made;
}

}  // namespace ts2021::coord

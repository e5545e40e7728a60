// SPDX-License-Identifier: BSD-3-Clause
// Full maps out of parts that viewers share: peers are written once per class of versions, and packed in
// chunks once per view. Only the head, and the chunk in which the viewer itself would stand, are its own.
#pragma once

#include <array>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "coord/netmap.h"
#include "coord/packer.h"

namespace ts2021::coord {

class FullMaps {
 public:
  // Lists of peers that are kept, one per view and class of versions: those used last.
  static constexpr std::size_t max_lists = 32;

  FullMaps(const Tailnet& tailnet, Packer& packer) : tailnet_(tailnet), packer_(packer) {}

  // Follows the change log from where it was last.
  void follow();
  // What peers are told as changed otherwise than by the log.
  void forget();

  // As full_map() says it, and `ssh`. For a viewer with a view that sees all peers as its class does. None
  // when there is no peer to list; null when the message would be too long.
  [[nodiscard]] std::optional<SharedPieces> make(const Snapshot& snapshot, const Viewer& viewer,
                                                 std::optional<Position> told, std::optional<SSHPolicy> ssh,
                                                 Compression compression);

 private:
  // Peers of a class are at home in chunks of this many; one that has become twice as large is split, one
  // that has become a quarter of it is joined to the next.
  static constexpr std::size_t chunk_size = 64;

  struct Peer {  // as JSON
    Position written{};
    std::string json;  // empty: the class can't be told of it
    UserId owner{};
  };
  struct Chunk {
    bool stale = true;
    std::vector<NodeId> peers;  // in their order
    BothWays packed;
  };
  struct List {
    ViewClass view{};
    CapabilityClass capability{};
    std::map<NodeId, Chunk> chunks;  // by where they begin; the first at 0
    // Profiles of all owners, and the relay map for those who are told of it; both close the message.
    std::array<BothWays, 2> tails;
    std::vector<UserId> owners;  // ascending
    Position owners_known{}, relays_known{};
    bool owners_stale = true;
  };
  using Lists = std::list<List>;  // the last used first

  [[nodiscard]] List& list_of(ViewClass view, CapabilityClass capability);
  [[nodiscard]] const Peer& written(const Snapshot& snapshot, const NodeState& node, CapabilityClass of);
  void refresh(const Snapshot& snapshot, List& list);
  void refresh(const Snapshot& snapshot, List& list, std::map<NodeId, Chunk>::iterator at);
  void refresh_tail(const Snapshot& snapshot, List& list);
  [[nodiscard]] std::string text_of(const Snapshot& snapshot, const List& list, const Chunk& chunk,
                                    NodeId without);
  [[nodiscard]] std::string tail_of(const List& list, std::optional<UserId> more,
                                    const std::optional<DERPMap>& relays);
  [[nodiscard]] SharedBytes comma(Compression compression);

  const Tailnet& tailnet_;
  Packer& packer_;
  Position followed_{};
  std::map<CapabilityClass, std::unordered_map<NodeId, Peer>> peers_;
  Lists lists_;
  std::string scratch_;
  BothWays comma_;
};

}  // namespace ts2021::coord

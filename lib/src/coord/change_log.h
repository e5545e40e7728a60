// SPDX-License-Identifier: BSD-3-Clause
// What changed since when: every node once, in the order of its last change.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <unordered_map>

#include "ts2021/coord/id.h"

namespace ts2021::coord {

// A point in the order of all changes that viewers can see. 0 is before everything.
enum class Position : std::uint64_t {};

// The parts of a node that a viewer can be told of one by one.
enum class Part : std::uint8_t {
  whole,  // anything that has no way of its own
  key_expiry,
  signature,  // of its key, by the tailnet lock
  disco,
  endpoints,
  derp,
  capability,  // version
  cap_map,     // of its capabilities those that peers read
  online,
  own,     // what only the node itself is told
  subject  // what a policy decides by; with `whole`, since it may decide who is seen
};
inline constexpr std::size_t part_count = 11;

class Parts {
 public:
  constexpr Parts() = default;
  constexpr Parts(Part part) : bits_(1u << static_cast<unsigned>(part)) {}
  [[nodiscard]] constexpr bool has(Part part) const { return (bits_ & Parts(part).bits_) != 0; }
  [[nodiscard]] constexpr bool has_any(Parts parts) const { return (bits_ & parts.bits_) != 0; }
  [[nodiscard]] constexpr bool has_only(Parts parts) const { return (bits_ & ~parts.bits_) == 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  constexpr Parts& operator|=(Parts other) {
    bits_ |= other.bits_;
    return *this;
  }
  friend constexpr Parts operator|(Parts a, Parts b) { return a |= b; }
  friend constexpr bool operator==(Parts, Parts) = default;

 private:
  std::uint32_t bits_ = 0;
};
constexpr Parts operator|(Part a, Part b) { return Parts(a) | Parts(b); }

// Bounded by the nodes that exist, plus max_tombstones. A slow viewer costs nothing here: it keeps a
// Position, and what happened to a node meanwhile is merged because a node has one place in the list.
class ChangeLog {
 public:
  static constexpr std::size_t max_tombstones = 65'536;

  explicit ChangeLog(std::size_t tombstones = max_tombstones) : max_tombstones_(tombstones) {}

  [[nodiscard]] Position head() const { return head_; }
  // Viewers behind the floor can't be told what went away since: they need a full map.
  [[nodiscard]] Position floor() const { return floor_; }
  [[nodiscard]] std::size_t size() const { return index_.size(); }
  // When the node changed last; 0 for an unknown one.
  [[nodiscard]] Position latest(NodeId node) const {
    const auto found = index_.find(node);
    return found == index_.end() ? Position{} : found->second->latest;
  }
  // What of the node changed after `cursor`; empty for an unknown one.
  [[nodiscard]] Parts parts_since(NodeId node, Position cursor) const {
    const auto found = index_.find(node);
    return found == index_.end() ? Parts() : found->second->since(cursor);
  }

  void created(NodeId node);
  void changed(NodeId node, Parts parts);  // of a node that was created; empty parts: nothing happens
  void removed(NodeId node);
  // Moves the head although no node changed: something that all viewers share did.
  Position advance() { return head_ = next(); }
  // No viewer is behind `position`: what went away before is forgotten.
  void forget_removed(Position position);

  struct Change {
    NodeId node{};
    Parts parts;           // empty when created or removed
    bool created = false;  // the viewer has not known it
    bool removed = false;
  };
  // Calls visit(Change) for every node that changed after `cursor`, the latest first. Cost: their number.
  template <class Visit>
  void since(Position cursor, Visit visit) const {
    any_since(cursor, [&visit](Change change) {
      if (change.created && change.removed) return false;
      if (change.created || change.removed) change.parts = {};
      visit(change);
      return false;
    });
  }
  // Whether test(Change) is true of any, those that came and went included, and with the parts that changed
  // after a node was created: as viewers saw it who looked after `cursor`.
  template <class Test>
  bool any_since(Position cursor, Test test) const {
    for (auto at = order_.rbegin(); at != order_.rend() && at->latest > cursor; ++at)
      if (test(Change{at->node, at->since(cursor), at->created > cursor, at->removed})) return true;
    return false;
  }

 private:
  struct Entry {
    NodeId node;
    Position created, latest;
    std::array<Position, part_count> parts{};
    bool removed = false;

    [[nodiscard]] Parts since(Position cursor) const {
      Parts changed;
      for (std::size_t part = 0; part < part_count; ++part)
        if (parts[part] > cursor) changed |= Part(part);
      return changed;
    }
  };
  using Order = std::list<Entry>;

  [[nodiscard]] Position next() const { return Position{static_cast<std::uint64_t>(head_) + 1}; }
  void drop_tombstone();

  std::size_t max_tombstones_;
  Position head_{}, floor_{};
  Order order_;  // the latest change last
  std::unordered_map<NodeId, Order::iterator> index_;
  std::deque<std::pair<Position, NodeId>> tombstones_;
};

}  // namespace ts2021::coord

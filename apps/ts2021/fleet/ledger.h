// SPDX-License-Identifier: BSD-3-Clause
// Which changes the others have not heard of yet, and how long it took those that have.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "ts2021/base/time.h"
#include "ts2021/fleet/bit_set.h"
#include "ts2021/fleet/digest.h"
#include "ts2021/fleet/histogram.h"

namespace ts2021::app::fleet {

struct Change {
  enum class Kind : std::uint8_t {
    join,   // told by a list that has the node, or by endpoints not older than the change's
    move,   // told by endpoints not older than the change's
    leave,  // told by "offline" or by removal
  };
  std::uint32_t node;
  Kind kind;
  std::uint32_t generation;  // of join and move
  Instant at;
};

class Ledger {
 public:
  struct Tally {
    std::uint64_t changes = 0, complete = 0;  // complete: all viewers have it
    Histogram each, last;                     // microseconds: per viewer; per change, until its last viewer
  };

  explicit Ledger(std::size_t nodes) : open_(nodes) {}

  // `viewers` should hear of it; the node itself does not count. While it is `held` more may come.
  void begin(const Change& change, const BitSet& viewers, bool held = false);
  void release(std::uint32_t node);
  // It has a list of peers from now on, and should hear of the held changes of those that are not in it.
  void viewer_came(std::uint32_t viewer, const BitSet& known);
  // True when somebody had waited for it.
  bool saw(std::uint32_t viewer, const PeerNews& news, Instant at);
  // It has left on purpose, and nobody waits for it any more.
  void viewer_left(std::uint32_t viewer);
  // Nobody waits any more for changes of this kind.
  void drop(std::uint32_t node, Change::Kind kind);
  void drop_all();

  [[nodiscard]] std::size_t open() const noexcept { return busy_.size(); }  // nodes with open changes
  // Pairs of viewer and change that are open.
  [[nodiscard]] std::uint64_t missing() const noexcept { return missing_; }
  struct Pair {
    std::uint32_t viewer, node;
  };
  [[nodiscard]] std::vector<Pair> some_missing(std::size_t count) const;

  [[nodiscard]] const Tally& tally(Change::Kind kind) const {
    return tallies_[static_cast<std::size_t>(kind)];
  }
  void reset_tallies() { tallies_ = {}; }

 private:
  struct Open {
    Change change;
    BitSet viewers;
    Instant last;
    bool held;
    [[nodiscard]] bool over() const noexcept { return viewers.empty() && !held; }
  };
  // Whether it was the last viewer.
  bool arrived(Open& open, std::uint32_t viewer, Instant at);
  void sweep(std::uint32_t node);

  std::vector<std::vector<Open>> open_;  // by node
  std::set<std::uint32_t> busy_;
  std::uint64_t missing_ = 0;
  std::array<Tally, 3> tallies_;
};

}  // namespace ts2021::app::fleet

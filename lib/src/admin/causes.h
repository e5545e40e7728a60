// SPDX-License-Identifier: BSD-3-Clause
// Why nodes are told something: what has come in, numbered from 1. The coordinator says of no map message
// what it is for; its reasons are the causes since the one before that could concern it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "admin/frame_look.h"
#include "ts2021/coord/command.h"
#include "ts2021/coord/event.h"
#include "ts2021/coord/question.h"
#include "ts2021/coord/record.h"
#include "ts2021/msg/map_request.h"

namespace ts2021::admin {

struct Cause {
  std::string text;
  enum class Reach : std::uint8_t {
    all,       // may show in any map
    about,     // shows where `node` is mentioned
    only_node  // is for `node` alone
  } reach = Reach::all;
  NodeId node{};
};

struct Reasons {
  std::vector<std::string> named;
  std::uint64_t more = 0;  // beyond max_named
};

class Causes {
 public:
  static constexpr std::size_t max_kept = 1000;  // older ones are named no more
  static constexpr std::size_t max_named = 5;    // of one message

  void add(Cause cause);
  [[nodiscard]] std::uint64_t last() const { return last_; }
  // Of a message to `viewer`, whose last one came after cause `after`. Equal ones are merged.
  [[nodiscard]] Reasons since(std::uint64_t after, NodeId viewer, const FrameLook& look) const;
  void forget() { kept_.clear(); }

 private:
  std::uint64_t last_ = 0;
  std::deque<Cause> kept_;  // the newest is number last_
};

// Of an order that was carried out.
[[nodiscard]] Cause cause_of(const CoordOrder& order);
// Of a map request, by what the coordinator knew before it. `before` is not null.
[[nodiscard]] Cause cause_of(const MapRequest& request, const NodeRecord& before);
// Of what a node asks beside; empty text: it changes nothing that nodes are told.
[[nodiscard]] Cause cause_of(const Question& question);
// Of what happens to a node; empty text: nobody is told of it.
[[nodiscard]] Cause cause_of(const coord_event::Notice& notice, bool test_mode);

}  // namespace ts2021::admin

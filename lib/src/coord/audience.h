// SPDX-License-Identifier: BSD-3-Clause
// Open maps that hear of the same things, so that what concerns none of them costs them nothing.
#pragma once

#include <algorithm>
#include <compare>
#include <map>
#include <optional>
#include <vector>

#include "coord/netmap.h"
#include "coord/planted.h"
#include "coord/poll.h"

namespace ts2021::coord {

// What a viewer may have to be told beside what concerns itself.
struct Hears {
  std::optional<ViewClass> view;
  bool subjects = false;    // changes of what policies decide by: it runs an SSH server
  bool holders = false;     // who bears source capabilities: its client does not understand them
  bool particular = false;  // it sees some peer otherwise than others do
  friend auto operator<=>(const Hears&, const Hears&) = default;
};

// Whether such a viewer may have to be told of anything that happened after `cursor`; never false for one
// that was told more meanwhile and has to be told something since.
[[nodiscard]] bool has_news(const Snapshot& snapshot, const Hears& hears, Position cursor);

// Those who hear the same. While there is no news, the audience as a whole moves on; its members do when
// they are looked at.
class Audience {
 public:
  explicit Audience(Position now) : from_(now), to_(now) {}

  [[nodiscard]] Position heard() const { return to_; }
  [[nodiscard]] bool empty() const { return members_.empty(); }
  void add(Polls::value_type& poll);
  void remove(Poll& poll);

  // There was nothing to hear up to `now`.
  void move_on(Position now) { to_ = now; }
  // There is news at `now`: visits those who must hear it and have not, as pairs of PollKey and Poll.
  template <class Visit>
  void call(Position now, Visit visit);

 private:
  friend Position told(const Poll& poll);

  // Whoever was told what there was at from_ has nothing to hear up to to_.
  Position from_, to_;
  std::vector<Polls::value_type*> members_;
};
using Audiences = std::map<Hears, Audience>;

// What the client knows: what it was told last, and what was no news to it since.
[[nodiscard]] inline Position told(const Poll& poll) {
  if (!poll.audience || (poll.apart && !planted(Planted::forgets_apart)) ||
      poll.cursor < poll.audience->from_)
    return poll.cursor;
  return std::max(poll.cursor, poll.audience->to_);
}

template <class Visit>
void Audience::call(Position now, Visit visit) {
  for (Polls::value_type* member : members_) {
    member->second.cursor = told(member->second);
    visit(*member);
  }
  from_ = to_ = now;
}

}  // namespace ts2021::coord

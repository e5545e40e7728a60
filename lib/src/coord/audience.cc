// SPDX-License-Identifier: BSD-3-Clause
#include "coord/audience.h"

#include "coord/map_filter.h"
#include "coord/planted.h"

namespace ts2021::coord {

bool has_news(const Snapshot& snapshot, const Hears& hears, Position cursor) {
  const ChangeLog& log = snapshot.tailnet.log();
  if (hears.particular || cursor < log.floor() || snapshot.settings.latest() > cursor ||
      snapshot.tailnet.users_changed() > cursor)
    return true;
  if ((hears.subjects || filter_lists_nodes(snapshot)) && snapshot.grants.subjects_changed() > cursor)
    return true;
  if (hears.holders && snapshot.grants.holders_changed() > cursor) return true;
  const Viewer all{NodeId{}, hears.view, newest_capability};
  return log.any_since(cursor, [&](const ChangeLog::Change& change) {
    if (change.removed) return true;
    if (!change.created && change.parts.has_only(hidden_from_peers)) return false;
    // One that has come and changed may have been seen meanwhile.
    return (change.parts.has(Part::subject) && !planted(Planted::misses_the_hidden)) ||
           visible(snapshot, all, *snapshot.tailnet.find(change.node));
  });
}

void Audience::add(Polls::value_type& poll) {
  poll.second.audience = this;
  poll.second.place = static_cast<std::uint32_t>(members_.size());
  members_.push_back(&poll);
}

void Audience::remove(Poll& poll) {
  poll.audience = nullptr;
  members_[poll.place] = members_.back();
  members_[poll.place]->second.place = poll.place;
  members_.pop_back();
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// Bugs that the simulation plants to prove that it would find them. Only a test's own build of coord has
// them.
#pragma once

#include <cstdint>

#define TS_PLANTED_BUGS(BUG)                                                              \
  BUG(forgets_removed, "a delta does not name peers that are gone")                       \
  BUG(empty_peers_trap, "a full map in mid-stream leaves the last peer in place")         \
  BUG(shares_with_changed, "a viewer that changed gets the frame of those that did not")  \
  BUG(skips_while_slow, "what happened while a frame was in flight is lost")              \
  BUG(applies_cancelled, "a cancelled update is carried out")                             \
  BUG(answers_early, "an update is answered before it is committed")                      \
  BUG(flips_presence, "a node that is back within the grace goes offline all the same")   \
  BUG(misses_profile, "a peer comes without its owner's profile")                         \
  BUG(patches_whole, "a change of the whole is sent as a patch")                          \
  BUG(keeps_dead_router, "nobody hears that another router has a prefix")                 \
  BUG(keeps_old_filter, "a change of what a policy decides by brings no new filter")      \
  BUG(keeps_old_holders, "who bears a source capability is not followed")                 \
  BUG(keeps_old_messages, "what is shown to a node is told once only")                    \
  BUG(shows_unapproved, "a node that waits for approval is seen by others")               \
  BUG(keeps_old_chunk, "a full map has a peer as it was when another viewer got its own") \
  BUG(lists_viewer, "a full map has the viewer among its peers")                          \
  BUG(overtakes, "a delta is sent before the first full map")                             \
  BUG(loses_delta, "a viewer that lags gets the delta of those that do not")              \
  BUG(keeps_old_patch, "a viewer that lags gets the patch that others got before")        \
  BUG(misses_the_hidden, "nobody hears that a peer has gone out of sight")                \
  BUG(forgets_apart, "what concerns a viewer alone is lost when its class hears nothing")

namespace ts2021::coord {

enum class Planted : std::uint8_t {
  none,
#define BUG(name, text) name,
  TS_PLANTED_BUGS(BUG)
#undef BUG
      count
};

#ifdef TS2021_PLANTED_BUGS
extern Planted planted_bug;
inline bool planted(Planted bug) { return planted_bug == bug; }
#else
constexpr bool planted(Planted) { return false; }
#endif

}  // namespace ts2021::coord

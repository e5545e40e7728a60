// SPDX-License-Identifier: BSD-3-Clause
// An open map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "coord/change_log.h"
#include "coord/map_update.h"
#include "coord/poll_key.h"
#include "ts2021/coord/policy.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::coord {

class Audience;

struct Poll {
  NodeId node{};
  Capability capability{};
  Compression compression{};
  MapKind kind{};
  bool fresh = true;
  bool in_flight = false;
  bool owes_keep_alive = false;          // one fell due while a frame was in flight
  bool of_full_maps = false;             // in flight, and takes one of the places for full maps
  bool apart = false;                    // something that its audience does not hear of concerns it
  std::uint32_t round = 0;               // in flight, and this round waits for it; 0: none does
  std::uint32_t place = 0;               // among the members of its audience
  Audience* audience = nullptr;          // null: fresh
  std::optional<ViewClass> view;         // of the last frame
  NodePublic concerned;                  // its key, if overrides of pairs concerned it then
  std::shared_ptr<const SSHPolicy> ssh;  // last told; null: none
  Position cursor{};                     // what the client has been told; see also told()
  Instant last_frame{};
  Instant::duration silence{};  // until a keep-alive
};
using Polls = std::map<PollKey, Poll>;

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// The name of a node's request among the requests of all sessions.
#pragma once

#include <compare>

#include "ts2021/coord/id.h"

namespace ts2021::admin {

struct StreamKey {
  SessionId session{};
  ts2021::CallId call{};
  friend auto operator<=>(const StreamKey&, const StreamKey&) = default;
};

}  // namespace ts2021::admin

// SPDX-License-Identifier: BSD-3-Clause
// The name of a call among the calls of all sessions.
#pragma once

#include <compare>

#include "ts2021/coord/event.h"
#include "ts2021/coord/id.h"

namespace ts2021::coord {

struct PollKey {
  SessionId session{};
  CallId call{};
  friend auto operator<=>(const PollKey&, const PollKey&) = default;
};

[[nodiscard]] inline bool belongs_to(const CoordEvent& event, PollKey key) {
  return std::visit(
      [key](const auto& of) {
        if constexpr (requires { of.call; }) return PollKey{of.session, of.call} == key;
        return false;
      },
      event);
}
[[nodiscard]] inline bool belongs_to(const CoordEvent& event, SessionId session) {
  return std::visit(
      [session](const auto& of) {
        if constexpr (requires { of.session; }) return of.session == session;
        return false;
      },
      event);
}

}  // namespace ts2021::coord

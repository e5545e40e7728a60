// SPDX-License-Identifier: BSD-3-Clause
// What a piece of work comes to: writes, and what is said once they are in the store.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coord/tailnet.h"
#include "ts2021/coord/event.h"
#include "ts2021/coord/store.h"

namespace ts2021::coord {

// An interactive login that is over, and what the node is told.
struct LoginEnd {
  std::string id;
  std::shared_ptr<const RegisterResponse> reply;
};

// Nothing of it has happened yet. A plan that the store rejects as stale is thrown away and made again.
struct Plan {
  std::vector<Write> writes;           // one transaction; empty: the events may be told at once
  Reserved reserved;                   // goes back to the tailnet when the writes are rejected
  std::vector<Reserved> reserved_too;  // for further nodes
  // Those that belong to a call are dropped when it is cancelled meanwhile.
  std::vector<CoordEvent> events;
  std::optional<LoginEnd> login;
  std::uint64_t needs_ids = 0;  // nothing is decided: come again when there are so many
};

struct Refusal {
  int status = 0;
  std::string_view text;  // a literal
  std::optional<std::chrono::seconds> retry_after{};
};

// A write of a record in place of the one with this revision; 0: of a new one.
template <class T>
[[nodiscard]] Write write_of(T record, Revision expected, bool durable = true) {
  auto shared = std::make_shared<const Record>(std::move(record));
  return {kind(*shared), id(*shared), expected, std::move(shared), durable};
}

[[nodiscard]] inline coord_event::Notice notice(NoticeKind kind, const NodeRecord& record,
                                                std::string_view text) {
  return {kind, record.id, record.given_name, record.machine, text};
}
[[nodiscard]] inline coord_event::Notice notice(NoticeKind kind, const MachinePublic& machine,
                                                std::string_view text) {
  return {kind, NodeId{}, {}, machine, text};
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// Where records live. Work goes in with a ticket, results come out of poll(); nothing blocks, nothing calls
// back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "ts2021/base/error.h"
#include "ts2021/coord/id.h"
#include "ts2021/coord/record.h"

namespace ts2021 {

// Conditional: a stale writer is told, not obeyed.
struct Write {
  RecordKind kind{};
  std::uint64_t id{};
  Revision expected{};  // of the last write to this record; 0: there must be no such record
  RecordPtr record;     // null deletes; else its kind and id are those above
  bool durable = true;  // false: may be committed before it is on disk
};

// The transaction is applied; all its records carry `revision`. Comes after its own Changed events if there
// is a watch.
struct Committed {
  Ticket ticket{};
  Revision revision{};
};
// Nothing of the transaction is applied. why.code: stale_revision (read again, decide again), limit_exceeded
// or out_of_memory (back off), misuse (a bug of the caller: empty, a record twice, a wrong kind).
struct Rejected {
  Ticket ticket{};
  Error why{};
};
// A record was written, by us or another; null: deleted.
struct Changed {
  Revision revision{};
  RecordKind kind{};
  std::uint64_t id{};
  RecordPtr record;
};
// The watch has told everything up to `revision`; what follows is live.
struct CaughtUp {
  Revision revision{};
};
using StoreEvent = std::variant<Committed, Rejected, Changed, CaughtUp>;

// A store may be used by several writers; a handle like this belongs to one thread and has one watch.
//
// Order: Changed events come in the order of revisions, those of one transaction together; tickets may be
// decided in another order than they were submitted. A ticket is answered exactly once.
class Store {
 public:
  virtual ~Store() = default;
  // Tells every record written after `after` that still exists (and, unless `after` is 0, deletions), each
  // with the revision of its last write, then CaughtUp, then changes as they happen. A second call starts
  // again; events of the first that were not yet polled do not come.
  virtual void watch(Revision after) = 0;
  // All or nothing. The span is used during the call only.
  virtual void submit(Ticket ticket, std::span<const Write> transaction) = 0;
  // Up to out.size() events that are ready; returns how many. Less than out.size() means "no more now".
  [[nodiscard]] virtual std::size_t poll(std::span<StoreEvent> out) = 0;
};

}  // namespace ts2021

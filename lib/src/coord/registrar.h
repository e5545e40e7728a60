// SPDX-License-Identifier: BSD-3-Clause
// Decides on register requests: an answer, and the writes that must be committed before it is given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coord/ids.h"
#include "coord/lock_desk.h"
#include "coord/plan.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/register.h"

namespace ts2021::coord {

struct Refusal {
  int status = 0;
  std::string_view text;
  std::optional<std::chrono::seconds> retry_after;
};

struct RegisterPlan {
  std::optional<Refusal> refusal;  // else `reply`
  RegisterResponse reply;
  std::string_view why;       // why the reply is an error, for the log; a literal
  std::vector<Write> writes;  // empty: the answer may be given at once
  Reserved reserved;          // goes back to the tailnet when the writes are rejected
  std::optional<coord_event::Notice> notice;
  bool needs_ids = false;  // nothing is decided: come again when there are ids
};

class Registrar {
 public:
  Registrar(Tailnet& tailnet, Entropy& entropy, const CoordinatorConfig& config, IdBlock& ids,
            const LockDesk& lock)
      : tailnet_(tailnet), entropy_(entropy), config_(config), ids_(ids), lock_(lock) {}

  // api: the server decision procedure. Its rows are API-40 to API-52 of WIRE.md.
  [[nodiscard]] RegisterPlan plan(const RegisterRequest& request, const MachinePublic& machine, WallTime now);

  // The record with what a register or map request says of its host; reserves a name when that changes.
  void apply_hostinfo(const Hostinfo& hostinfo, NodeRecord& record, Reserved& reserved);

 private:
  using Request = RegisterRequest;
  struct Key;

  RegisterPlan log_out(const NodeState& node, WallTime now);
  RegisterPlan refresh(const NodeState& node, const Request& request, WallTime now);
  RegisterPlan log_in(const Tailnet::Stored<AuthKeyRecord>& key, const NodeState* known,
                      const Request& request, const MachinePublic& machine, WallTime now);
  // The signature of the record's key that the request brings, if it may be kept.
  void take_signature(const Request& request, NodeRecord& record) const;
  void put(RegisterPlan& plan, NodeRecord record, Revision expected);
  void welcome(RegisterPlan& plan, const NodeRecord& record);
  [[nodiscard]] std::string make_stable_id();

  Tailnet& tailnet_;
  Entropy& entropy_;
  const CoordinatorConfig& config_;
  IdBlock& ids_;
  const LockDesk& lock_;
};

}  // namespace ts2021::coord

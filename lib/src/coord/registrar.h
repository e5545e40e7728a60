// SPDX-License-Identifier: BSD-3-Clause
// Decides on register requests: an answer, and the writes that must be committed before it is given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coord/tailnet.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/register.h"

namespace ts2021::coord {

// Ids from a block that the store has reserved, so that two new nodes don't contend for one counter.
class IdBlock {
 public:
  void add(std::uint64_t begin, std::uint64_t end) {
    if (next_ == end_) next_ = begin;
    end_ = end;
  }
  [[nodiscard]] std::uint64_t left() const { return end_ - next_; }
  [[nodiscard]] std::uint64_t take() { return next_++; }  // precondition: left()

 private:
  std::uint64_t next_ = 0, end_ = 0;
};

struct Refusal {
  int status = 0;
  std::string_view text;
  std::optional<std::chrono::seconds> retry_after;
};

// What was taken for a record that may yet be rejected.
struct Reserved {
  NodeId node{};
  std::optional<Ipv4Address> v4;
  std::string name;  // empty: none
};

struct RegisterPlan {
  std::optional<Refusal> refusal;  // else `reply`
  RegisterResponse reply;
  std::string_view why;       // why the reply is an error, for the log; a literal
  std::vector<Write> writes;  // empty: the answer may be given at once
  Reserved reserved;          // to be given back with release() when the writes are rejected
  std::optional<coord_event::Notice> notice;
  bool needs_ids = false;  // nothing is decided: come again when there are ids
};

class Registrar {
 public:
  Registrar(Tailnet& tailnet, Entropy& entropy, const CoordinatorConfig& config)
      : tailnet_(tailnet), entropy_(entropy), config_(config) {}

  // api: the server decision procedure. Its rows are API-40 to API-52 of WIRE.md.
  [[nodiscard]] RegisterPlan plan(const RegisterRequest& request, const MachinePublic& machine, WallTime now);
  void release(const Reserved& reserved);

  // The record with what a register or map request says of its host; reserves a name when that changes.
  void apply_hostinfo(const Hostinfo& hostinfo, NodeRecord& record, Reserved& reserved);

  IdBlock ids;

 private:
  using Request = RegisterRequest;
  struct Key;

  RegisterPlan log_out(const NodeState& node, WallTime now);
  RegisterPlan refresh(const NodeState& node, const Request& request, WallTime now);
  RegisterPlan log_in(const Tailnet::Stored<AuthKeyRecord>& key, const NodeState* known,
                      const Request& request, const MachinePublic& machine, WallTime now);
  void put(RegisterPlan& plan, NodeRecord record, Revision expected);
  void welcome(RegisterPlan& plan, const NodeRecord& record);
  [[nodiscard]] std::string make_stable_id();

  Tailnet& tailnet_;
  Entropy& entropy_;
  const CoordinatorConfig& config_;
};

}  // namespace ts2021::coord

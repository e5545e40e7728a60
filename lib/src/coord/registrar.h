// SPDX-License-Identifier: BSD-3-Clause
// Carries out what the table of registration decides: an answer, and the writes that must be committed before
// it is given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coord/ids.h"
#include "coord/logins.h"
#include "coord/plan.h"
#include "coord/registration.h"
#include "ts2021/base/bytes.h"
#include "ts2021/coord/config.h"
#include "ts2021/coord/policy.h"
#include "ts2021/msg/register.h"

namespace ts2021::coord {

class Registrar {
 public:
  Registrar(Tailnet& tailnet, Entropy& entropy, const CoordinatorConfig& config, IdBlock& ids, Logins& logins)
      : tailnet_(tailnet), entropy_(entropy), config_(config), ids_(ids), logins_(logins) {}

  struct Call {
    PollKey from;
    const RegisterRequest& request;
    MachinePublic machine;
    Now now;
    const Policy& policy;
    std::optional<std::chrono::nanoseconds> wait{};  // the machine is too hasty: until it may come again
    // Of the tailnet lock: what may be kept as the key's signature, and that of the old key when the client
    // must sign again; both may be empty.
    std::vector<std::uint8_t> signature{};
    Bytes to_sign{};
  };
  // A held followup has no answer among the events: Logins has it.
  [[nodiscard]] Plan plan(const Call& call);
  [[nodiscard]] registration::Facts facts(const Call& call) const;

  // What a person says to a pending login. Status 200; 404 no such login; 400 an impossible name; 403 the
  // tags that the node wants are not this user's to give, 409 its key is another machine's by now: the node
  // is told; 503 no address is free.
  struct Decision {
    Plan plan;
    int status = 200;
    std::string_view text{};
  };
  [[nodiscard]] Decision decide(std::string_view id, std::string_view login_name, std::string_view refusal,
                                const Policy& policy, Now now);

  // The user's id, of a record that is written by the plan when there is none (API-86).
  [[nodiscard]] UserRecord user_of(std::string_view login_name, WallTime now, Plan& plan) const;

  // Who decides what a host may have.
  struct Judge {
    const Policy& policy;
    std::string_view login;  // of the node's user
    WallTime now;
  };
  // How the record of a new node begins: id (this one, or 0: the next), stable id, address, which is
  // reserved. None: `plan` needs ids, or no address is free when it does not.
  [[nodiscard]] std::optional<NodeRecord> new_record(Plan& plan, Reserved& reserved, WallTime now,
                                                     NodeId id = {});
  // An answer and its writes, which both tables have in common.
  [[nodiscard]] Plan log_out(const Call& call, const NodeState& node);
  [[nodiscard]] Plan refresh(const Call& call, const NodeState& node);

  // The record with what a register or map request says of its host; reserves a name when that changes. Tags
  // that it may not take make its key expire (API-90).
  void apply_hostinfo(const Hostinfo& hostinfo, NodeRecord& record, Reserved& reserved, const Judge& judge);
  // The label that the hostname makes, unless an administrator has set one.
  void name_by_host(NodeRecord& record, Reserved& reserved);

 private:
  struct Grant;

  Plan rotate(const Call& call, const NodeState& node);
  Plan enroll_by_key(const Call& call, const Tailnet::Stored<AuthKeyRecord>& key);
  Plan ask_a_person(const Call& call);
  // The record; none: `plan` needs ids, or no address is free when it does not.
  std::optional<NodeRecord> enroll(Plan& plan, const Grant& grant, const RegisterRequest& request,
                                   const MachinePublic& machine, const Policy& policy, WallTime now);
  [[nodiscard]] const NodeState* returning(const Grant& grant, const RegisterRequest& request,
                                           const MachinePublic& machine) const;

  Tailnet& tailnet_;
  Entropy& entropy_;
  const CoordinatorConfig& config_;
  IdBlock& ids_;
  Logins& logins_;
};

// 1 to 254 printable ASCII characters without space, quotes and backslash.
[[nodiscard]] bool is_login_name(std::string_view text) noexcept;
// A user's name that belongs to nobody: what owns nodes with tags is shown by it.
inline constexpr std::string_view tagged_devices_login = "tagged-devices";

}  // namespace ts2021::coord

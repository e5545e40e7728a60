// SPDX-License-Identifier: BSD-3-Clause
// The tailnet's lock: follows its record, and answers what nodes ask of it.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "coord/plan.h"
#include "coord/poll_key.h"
#include "ts2021/base/result.h"
#include "ts2021/coord/config.h"
#include "ts2021/coord/input.h"
#include "ts2021/lock/authority.h"
#include "ts2021/msg/register.h"
#include "ts2021/msg/small.h"

namespace ts2021::coord {

// States, as the record has them:
//
//   off        --init/begin-->   off, with a candidate    (another begin replaces the candidate)
//   candidate  --init/finish by who began-->   on
//   on         --sync/send-->    on, longer
//   on         --disable-->      off, with the secret that proves it
//   on, but the record does not verify -->   broken: nothing is answered, nobody is told
class LockDesk {
 public:
  LockDesk(const Tailnet& tailnet, const CoordinatorConfig& config) : tailnet_(tailnet), config_(config) {}

  // The record was read or written. True when info() is another.
  [[nodiscard]] bool apply(const Changed& changed);
  // What maps say of the lock; none: there never was one, or it is switched off here.
  [[nodiscard]] const std::optional<TKAInfo>& info() const { return info_; }

  // The answer is among the plan's events. May be made again for the same call.
  [[nodiscard]] Plan plan(const coord_input::Ask& ask, const question::Lock& lock, Now now);

  // For registration: what may be kept as the signature of this key. With the lock off all; with the lock on
  // what verifies, else nothing.
  [[nodiscard]] std::vector<std::uint8_t> accepted(const NodePublic& node, Bytes signature) const;
  // LCK-26: the signature of the node's expired or old key, when the client can sign its next key with it and
  // has not yet: it goes into `NodeKeySignature` of an answer that is no success. Empty: there is none.
  [[nodiscard]] Bytes to_rotate(const RegisterRequest& request, const MachinePublic& machine) const;

 private:
  struct Outcome;
  struct Turn {
    const NodeState& caller;
    PollKey call;
    Now now;
  };

  [[nodiscard]] Outcome answer(const TKAInitBeginRequest& request, const Turn& turn);
  [[nodiscard]] Outcome answer(const TKAInitFinishRequest& request, const Turn& turn);
  [[nodiscard]] Outcome answer(const TKABootstrapRequest& request, const Turn& turn);
  [[nodiscard]] Outcome answer(const TKASyncOfferRequest& request, const Turn& turn);
  [[nodiscard]] Outcome answer(const TKASyncSendRequest& request, const Turn& turn);
  [[nodiscard]] Outcome answer(const TKASubmitSignatureRequest& request, const Turn& turn);
  [[nodiscard]] Outcome answer(const TKADisableRequest& request, const Turn& turn);
  [[nodiscard]] Outcome answer(const TKASignaturesUsingKeyRequest& request, const Turn& turn);

  [[nodiscard]] Outcome sign_all(const TKAInitFinishRequest& request, const lock::Authority& authority,
                                 const NodeState& caller) const;
  [[nodiscard]] Result<bool> switches_off(const lock::Authority& authority, const Blob& secret);
  [[nodiscard]] bool affords(const Turn& turn);
  [[nodiscard]] bool load();
  [[nodiscard]] LockRecord copy() const { return record_ ? *record_ : LockRecord{}; }
  [[nodiscard]] Write write(LockRecord record) const { return write_of(std::move(record), revision_); }

  const Tailnet& tailnet_;
  const CoordinatorConfig& config_;
  RecordPtr holder_;
  const LockRecord* record_ = nullptr;  // null: there is none
  Revision revision_{};
  bool broken_ = false;
  std::optional<lock::Authority> authority_;  // none: off, or broken
  std::optional<TKAInfo> info_;

  // A call that costs much counts a second of its node's; it may be some ahead.
  struct Account {
    Instant paid_until;
    PollKey last;
  };
  std::map<NodeId, Account> accounts_;  // of those that are ahead
  struct Proven {
    lock::AUMHash genesis;
    std::vector<std::uint8_t> secret;
  };
  std::optional<Proven> proven_;  // the last secret that was right: plans are made twice
};

}  // namespace ts2021::coord

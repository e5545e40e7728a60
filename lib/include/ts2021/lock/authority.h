// SPDX-License-Identifier: BSD-3-Clause
// The tailnet's lock: a tree of verified updates, the branch in force, and whom it trusts.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/key/key.h"
#include "ts2021/lock/hash.h"
#include "ts2021/lock/node_key_signature.h"
#include "ts2021/lock/state.h"
#include "ts2021/lock/update.h"

namespace ts2021::lock {

// What one side tells the other of its chain.
struct Offer {
  AUMHash head;
  std::vector<AUMHash> ancestors;  // some of them, the newest first; the oldest update comes last
};

// A plain value: a copy may be changed and thrown away. All updates in it are verified.
class Authority {
 public:
  // Clients give up on a longer chain when they start.
  static constexpr std::size_t max_updates = 2000;
  // Bytes of all updates: twice what so many take with 512 plain keys. One answer may hold them all.
  static constexpr std::size_t max_size = 2 << 20;

  // Begins with a checkpoint that is signed by keys which it trusts itself. Errors: those of AUM::decode,
  // bad_lock_update (no checkpoint), untrusted_lock_key, bad_lock_signature.
  [[nodiscard]] static Result<Authority> bootstrap(Bytes genesis);

  // Takes updates, a parent before its children; those that are known already are skipped. All or nothing:
  // after an error nothing has changed. Errors: those of bootstrap(), unknown_lock_update (its parent is not
  // here), limit_exceeded.
  [[nodiscard]] Result<void> apply(std::span<const Bytes> updates);

  [[nodiscard]] const AUMHash& head() const noexcept { return path_.back(); }
  [[nodiscard]] const AUMHash& oldest() const noexcept { return path_.front(); }
  [[nodiscard]] const State& state() const noexcept { return state_; }
  [[nodiscard]] std::size_t count() const noexcept { return log_.size(); }  // updates of all branches
  // All updates as they came, the genesis first: bootstrap() and apply() make the same authority of them.
  [[nodiscard]] std::vector<SharedBytes> log() const;
  // The update that the chain begins with.
  [[nodiscard]] const SharedBytes& genesis() const noexcept;

  [[nodiscard]] Offer offer() const;
  // The updates of the branch in force that the other side lacks, in order. Error unknown_lock_update:
  // nothing that it named is ours.
  [[nodiscard]] Result<std::vector<SharedBytes>> missing(const Offer& other) const;

  [[nodiscard]] bool trusts(Bytes key_id) const noexcept { return state_.find(key_id) != nullptr; }
  // Whether `node` may take part (LCK-8). Errors: those of NodeKeySignature::decode, untrusted_lock_key,
  // bad_lock_signature.
  [[nodiscard]] Result<void> authorize(const NodePublic& node, Bytes signature) const;
  // As costly as disablement_value(). Error out_of_memory.
  [[nodiscard]] Result<bool> valid_disablement(Bytes secret) const noexcept;

 private:
  struct Link {
    AUM update;
    SharedBytes encoded;
  };
  using LinkPtr = std::shared_ptr<const Link>;

  Authority() = default;
  [[nodiscard]] Result<void> append(Bytes encoded);
  void insert(const AUMHash& hash, LinkPtr link);
  [[nodiscard]] State state_at(const AUMHash& hash) const;
  [[nodiscard]] AUMHash preferred(const std::vector<AUMHash>& siblings, const State& state) const;
  void follow();

  std::map<AUMHash, LinkPtr> links_;
  std::map<AUMHash, std::vector<AUMHash>> children_;
  std::vector<AUMHash> log_;   // as they came
  std::size_t size_ = 0;       // of what the log names, encoded
  std::vector<AUMHash> path_;  // the branch in force, oldest to head; never empty
  State state_;                // at head
};

}  // namespace ts2021::lock

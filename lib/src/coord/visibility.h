// SPDX-License-Identifier: BSD-3-Clause
// Who is in whose maps: the policy's answers, kept until something that it decides by has changed.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "coord/change_log.h"
#include "coord/tailnet.h"
#include "ts2021/coord/policy.h"

namespace ts2021::coord {

class Visibility {
 public:
  // Views whose answers are kept: 50 bytes a node and view.
  static constexpr std::size_t max_views = 64;

  explicit Visibility(const Tailnet& tailnet) : tailnet_(tailnet) {}

  // Follows the change log from where it was last; `anew`: another policy.
  void follow(bool anew = false);

  [[nodiscard]] ViewClass view_of(const Policy& policy, const NodeState& node);
  [[nodiscard]] bool sees(const Policy& policy, ViewClass viewer, const NodeState& peer);

  // Questions that the policy was asked.
  [[nodiscard]] std::uint64_t evaluations() const { return evaluations_; }

 private:
  const Tailnet& tailnet_;
  Position followed_{};
  std::unordered_map<ViewClass, std::unordered_map<NodeId, bool>> seen_by_;
  std::uint64_t evaluations_ = 0;
};

}  // namespace ts2021::coord

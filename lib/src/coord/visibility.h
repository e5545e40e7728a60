// SPDX-License-Identifier: BSD-3-Clause
// Who is in whose maps: the policy's answers, kept until something that it decides by has changed.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "coord/change_log.h"
#include "coord/tailnet.h"
#include "ts2021/coord/policy.h"

namespace ts2021::coord {

class Visibility {
 public:
  // Views whose answers are kept: 8 bytes a node that they see.
  static constexpr std::size_t max_views = 64;

  explicit Visibility(const Tailnet& tailnet) : tailnet_(tailnet) {}

  // Follows the change log from where it was last; `anew`: another policy.
  void follow(bool anew = false);

  [[nodiscard]] ViewClass view_of(const Policy& policy, const NodeState& node);
  [[nodiscard]] bool sees(const Policy& policy, ViewClass viewer, const NodeState& peer);
  // All whom viewers of the class see, ascending; they themselves may be among them. Until follow(), or until
  // another class is asked for.
  [[nodiscard]] const std::vector<NodeId>& seen_by(const Policy& policy, ViewClass viewer);

  // Questions that the policy was asked.
  [[nodiscard]] std::uint64_t evaluations() const { return evaluations_; }

 private:
  struct View {
    std::vector<NodeId> seen;     // ascending
    std::vector<NodeId> unasked;  // in neither order, perhaps more than once; not in `seen`
  };

  [[nodiscard]] bool ask(const Policy& policy, ViewClass viewer, const NodeState& peer);
  void settle(const Policy& policy, ViewClass viewer, View& view);

  const Tailnet& tailnet_;
  Position followed_{};
  std::unordered_map<ViewClass, View> views_;
  std::uint64_t evaluations_ = 0;
};

}  // namespace ts2021::coord

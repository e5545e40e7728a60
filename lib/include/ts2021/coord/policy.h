// SPDX-License-Identifier: BSD-3-Clause
// Who sees whom and who may reach whom: pure questions about records; a policy is replaced whole.
#pragma once

#include <memory>
#include <vector>

#include "ts2021/coord/id.h"
#include "ts2021/coord/record.h"

namespace ts2021 {

struct FilterRule;  // msg/filter.h

// Immutable; may be shared between threads. The same question always has the same answer.
class Policy {
 public:
  virtual ~Policy() = default;
  // Nodes of one class see the same peers and have the same packet filter.
  [[nodiscard]] virtual ViewClass view_of(const NodeRecord& node) const = 0;
  // Whether viewers of the class have this node in their maps (nobody is asked about himself).
  [[nodiscard]] virtual bool sees(ViewClass viewer, const NodeRecord& peer) const = 0;
  // What the nodes of the class let in; empty blocks everything.
  [[nodiscard]] virtual std::vector<FilterRule> packet_filter(ViewClass viewer) const = 0;
};

// One class; everybody sees and reaches everybody.
class AllowAll final : public Policy {
 public:
  [[nodiscard]] ViewClass view_of(const NodeRecord& node) const override;
  [[nodiscard]] bool sees(ViewClass viewer, const NodeRecord& peer) const override;
  [[nodiscard]] std::vector<FilterRule> packet_filter(ViewClass viewer) const override;
};

}  // namespace ts2021

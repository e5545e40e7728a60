// SPDX-License-Identifier: BSD-3-Clause
// What the policy gives to each node, asked once per change of what it decides by.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "coord/change_log.h"
#include "coord/tailnet.h"
#include "ts2021/coord/policy.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021::coord {

class Grants final : public CapabilityHolders {
 public:
  struct Of {
    std::vector<std::string> sources;  // capabilities by which filters name the node
    CapMap attributes;                 // what it gets itself
  };

  explicit Grants(const Tailnet& tailnet) : tailnet_(tailnet) {}

  // Follows the change log from where it was last; `anew`: another policy.
  void follow(const Policy& policy, bool anew = false);

  // Empty for a node that is not known or not approved.
  [[nodiscard]] const Of& of(NodeId node) const;
  // When another node came to bear a source capability, or one of its bearers moved or went.
  [[nodiscard]] Position holders_changed() const { return holders_changed_; }
  // When anything changed that a policy may decide by.
  [[nodiscard]] Position subjects_changed() const { return subjects_changed_; }

  // CapabilityHolders: the addresses of who bears it, by id.
  void append(std::string_view capability, std::vector<std::string>& sources) const override;

 private:
  void ask(const Policy& policy, NodeId node);
  void forget(NodeId node);

  const Tailnet& tailnet_;
  Position followed_{}, holders_changed_{}, subjects_changed_{};
  std::unordered_map<NodeId, Of> of_;  // of nodes that have anything
  std::unordered_map<std::string, std::set<NodeId>> holders_;
};

}  // namespace ts2021::coord

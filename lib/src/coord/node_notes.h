// SPDX-License-Identifier: BSD-3-Clause
// What a node says about itself outside its maps: posture, records for certificates, news for the log.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "coord/fan_out.h"
#include "coord/replies.h"
#include "coord/tailnet.h"
#include "ts2021/coord/coordinator.h"

namespace ts2021::coord {

class NodeNotes {
 public:
  static constexpr std::size_t max_challenges = 4096;
  static constexpr std::size_t max_attributes = 64;       // of a node
  static constexpr std::size_t max_attribute_size = 256;  // bytes of its name, and of its value
  static constexpr std::chrono::minutes challenge_time{10};

  NodeNotes(const Tailnet& tailnet, const CoordinatorConfig& config, const FanOut& fan_out)
      : tailnet_(tailnet), config_(config), fan_out_(fan_out) {}

  [[nodiscard]] Plan plan(const coord_input::Ask& ask, const question::SetDns& asked, Now now);
  [[nodiscard]] Plan plan(const coord_input::Ask& ask, const question::SetAttributes& asked);
  [[nodiscard]] Plan plan(const coord_input::Ask& ask, const question::Audit& asked);
  [[nodiscard]] Plan plan(const coord_input::Ask& ask, const question::QueryFeature& asked);
  [[nodiscard]] Plan plan(const coord_input::Ask& ask, const question::ReportSsh& asked);

  [[nodiscard]] std::vector<DnsChallenge> challenges(Now now) const;

 private:
  // The node of this key, if it is one of the machine that asks.
  [[nodiscard]] const NodeState* own(const coord_input::Ask& ask, const NodePublic& key) const;

  struct Kept {
    DnsChallenge challenge;
    Instant until{};
  };
  const Tailnet& tailnet_;
  const CoordinatorConfig& config_;
  const FanOut& fan_out_;
  std::deque<Kept> challenges_;  // the oldest first
};

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// The policy of the simulated tailnet: nodes see those whose number has the same remainder.
#pragma once

#include <string>

#include "ts2021/coord/policy.h"
#include "ts2021/msg/filter.h"
#include "ts2021/msg/ssh.h"

namespace ts2021::test {

// Divisor 1: everybody, 0: nobody. Filters let in the island, by a source capability, and who is trusted (by
// an attribute of its record), who lets in all.
class Islands final : public Policy {
 public:
  explicit Islands(std::uint64_t divisor) : divisor_(divisor) {}

  [[nodiscard]] ViewClass view_of(const Subject& subject) const override {
    return ViewClass{divisor_ == 0 ? 0 : static_cast<std::uint32_t>(remainder(subject))};
  }
  [[nodiscard]] bool sees(ViewClass viewer, const Subject& peer) const override {
    return divisor_ != 0 && remainder(peer) == static_cast<std::uint32_t>(viewer);
  }
  [[nodiscard]] std::vector<FilterRule> packet_filter(const Subject& subject) const override {
    if (divisor_ == 0) return {};
    FilterRule rule = allow_all_rule();
    if (!trusted(subject)) rule.src_ips = {"cap:" + island(subject), "cap:trusted"};
    for (const auto& route : subject.node.approved_routes) rule.dst_ports.push_back({route.text(), {}});
    return {rule};
  }
  [[nodiscard]] std::vector<std::string> source_capabilities(const Subject& subject) const override {
    if (divisor_ == 0) return {};
    if (trusted(subject)) return {island(subject), "trusted"};
    return {island(subject)};
  }
  [[nodiscard]] CapMap node_attributes(const Subject& subject) const override {
    return trusted(subject) ? CapMap{{"by-policy", {}}} : CapMap{};
  }
  [[nodiscard]] std::optional<SSHPolicy> ssh_policy(const Subject& subject,
                                                    std::span<const Subject> everybody) const override {
    if (divisor_ == 0) return std::nullopt;
    SSHPolicy out;
    for (const auto& one : everybody) {
      if (!trusted(one) || remainder(one) != remainder(subject)) continue;
      SSHRule& rule = out.rules.emplace_back();
      rule.principals.emplace_back().node_ip = one.node.v4.text();
      rule.ssh_users = {{"*", "="}};
      rule.action.accept = true;
    }
    return out;
  }
  [[nodiscard]] bool approves_route(const Subject& subject, const IpPrefix& route) const override {
    return route == *IpPrefix::parse("10.2.0.0/16") && static_cast<std::uint64_t>(subject.node.id) % 2 == 0;
  }

 private:
  [[nodiscard]] static bool trusted(const Subject& subject) {
    return subject.node.attributes.contains("trusted");
  }
  [[nodiscard]] std::uint64_t remainder(const Subject& subject) const {
    return static_cast<std::uint64_t>(subject.node.id) % divisor_;
  }
  [[nodiscard]] std::string island(const Subject& subject) const {
    return "island-" + std::to_string(remainder(subject));
  }
  std::uint64_t divisor_;
};

}  // namespace ts2021::test

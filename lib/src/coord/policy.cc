// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/coord/policy.h"

#include "ts2021/msg/filter.h"
#include "ts2021/msg/ssh.h"

namespace ts2021 {

std::vector<std::string> Policy::source_capabilities(const Subject&) const { return {}; }
CapMap Policy::node_attributes(const Subject&) const { return {}; }
std::optional<SSHPolicy> Policy::ssh_policy(const Subject&, std::span<const Subject>) const {
  return std::nullopt;
}
bool Policy::may_tag(std::string_view, std::span<const std::string>, std::string_view) const { return false; }
bool Policy::approves_route(const Subject&, const IpPrefix&) const { return false; }

ViewClass AllowAll::view_of(const Subject&) const { return ViewClass{}; }
bool AllowAll::sees(ViewClass, const Subject&) const { return true; }
std::vector<FilterRule> AllowAll::packet_filter(const Subject&) const { return {allow_all_rule()}; }
bool AllowAll::may_tag(std::string_view, std::span<const std::string>, std::string_view) const {
  return true;
}

}  // namespace ts2021

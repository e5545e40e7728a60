// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/filter.h"

#include <algorithm>

#include "msg/codec_impl.h"

namespace ts2021 {
namespace {

// "*", an address, a prefix without host bits, or "a-b".
bool is_range(std::string_view text) noexcept {
  if (text == "*") return true;
  if (const auto address = IpAddress::parse(text)) return !address->has_zone();
  if (const auto prefix = IpPrefix::parse(text)) return !prefix->is_none() && *prefix == prefix->masked();
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return false;
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = IpAddress::parse(text.substr(dash + 1));
  return first && last && !first->has_zone() && !last->has_zone() && first->family() == last->family() &&
         *first <= *last;
}

bool is_source(std::string_view text) noexcept {
  constexpr std::string_view capability = "cap:";
  return text.starts_with(capability) ? text.size() > capability.size() : is_range(text);
}

}  // namespace

bool valid(const NetPortRange& range) noexcept {
  return is_range(range.ip) && range.ports.first <= range.ports.last;
}

bool valid(const FilterRule& rule) noexcept {  // API-68
  if (rule.dst_ports.empty() == rule.cap_grant.empty()) return false;
  const auto protocol = [](int number) { return number >= 0 && number <= 255; };
  const auto range = [](const NetPortRange& one) { return valid(one); };
  return std::all_of(rule.src_ips.begin(), rule.src_ips.end(), is_source) &&
         std::all_of(rule.ip_proto.begin(), rule.ip_proto.end(), protocol) &&
         (rule.dst_ports.empty() || std::any_of(rule.dst_ports.begin(), rule.dst_ports.end(), range));
}

bool valid(const FilterRule& rule, Capability viewer) noexcept {
  return valid(rule) && (rule.cap_grant.empty() || viewer >= Capability::cap_grant);
}

FilterRule allow_all_rule() {
  FilterRule rule;
  rule.src_ips = {"*"};
  rule.dst_ports = {{.ip = "*", .ports = {}}};
  return rule;
}

TS_MESSAGE(FilterRule);
TS_MESSAGE(CapGrant);

}  // namespace ts2021

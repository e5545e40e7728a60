// SPDX-License-Identifier: BSD-3-Clause
// The packet filter: what a node lets in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

struct PortRange {
  std::uint16_t first = 0, last = 65535;
  friend bool operator==(const PortRange&, const PortRange&) = default;
};
constexpr auto fields(const PortRange*) {
  return std::tuple{always<"First", &PortRange::first>, always<"Last", &PortRange::last>};
}

struct NetPortRange {
  std::string ip;  // "*", an address, a prefix or "a-b"
  PortRange ports;
  friend bool operator==(const NetPortRange&, const NetPortRange&) = default;
};
constexpr auto fields(const NetPortRange*) {
  return std::tuple{always<"IP", &NetPortRange::ip>, always<"Ports", &NetPortRange::ports>};
}

struct CapGrant {
  std::vector<IpPrefix> dsts;
  std::vector<std::string> caps;  // the old form
  CapMap cap_map;
  friend bool operator==(const CapGrant&, const CapGrant&) = default;
};
constexpr auto fields(const CapGrant*) {
  return std::tuple{always<"Dsts", &CapGrant::dsts>, Field<"Caps", &CapGrant::caps>{},
                    Field<"CapMap", &CapGrant::cap_map>{.since = Capability::peer_cap_map}};
}

// Has either dst_ports or cap_grant, never both, never neither.
struct FilterRule {
  std::vector<std::string> src_ips;  // "*", an address, a prefix, "a-b" or "cap:<node capability>"
  std::vector<NetPortRange> dst_ports;
  std::vector<int> ip_proto;  // empty: TCP, UDP, ICMP, ICMPv6
  std::vector<CapGrant> cap_grant;
  friend bool operator==(const FilterRule&, const FilterRule&) = default;
};
constexpr auto fields(const FilterRule*) {
  return std::tuple{always<"SrcIPs", &FilterRule::src_ips>, Field<"DstPorts", &FilterRule::dst_ports>{},
                    Field<"IPProto", &FilterRule::ip_proto>{},
                    Field<"CapGrant", &FilterRule::cap_grant>{.since = Capability::cap_grant}};
}

// One rule that can't be parsed makes a client drop all of them, so encode() leaves such a rule out.
[[nodiscard]] bool valid(const NetPortRange& range) noexcept;
[[nodiscard]] bool valid(const FilterRule& rule) noexcept;
// Also false for a grant that the viewer does not know: nothing would be left of the rule.
[[nodiscard]] bool valid(const FilterRule& rule, Capability viewer) noexcept;

// Everybody to everything.
[[nodiscard]] FilterRule allow_all_rule();

}  // namespace ts2021

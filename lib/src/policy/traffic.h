// SPDX-License-Identifier: BSD-3-Clause
// Protocols and ports, as rules write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts2021/msg/filter.h"

namespace ts2021::policy {

inline constexpr int tcp = 6, udp = 17, sctp = 132;

// Numbers of protocols; empty: TCP, UDP and ICMP, as packet filters have it.
using Protocols = std::vector<int>;

struct Traffic {
  Protocols protocols;
  std::vector<PortRange> ports;  // empty: those of the destination
};

// A name or a number from 1 to 255.
[[nodiscard]] std::optional<Protocols> parse_protocol(std::string_view text);
[[nodiscard]] constexpr bool has_ports(int protocol) noexcept {
  return protocol == tcp || protocol == udp || protocol == sctp;
}
[[nodiscard]] bool has_ports(const Protocols& protocols) noexcept;  // all of them
// "*", "22", "80,443", "8000-8099" and lists of these.
[[nodiscard]] std::optional<std::vector<PortRange>> parse_ports(std::string_view text);
[[nodiscard]] bool is_all(const std::vector<PortRange>& ports) noexcept;
[[nodiscard]] bool contains(const std::vector<PortRange>& ports, std::uint16_t port) noexcept;
[[nodiscard]] bool contains(const Protocols& protocols, int protocol) noexcept;

// "host:ports" and "[v6]:ports", parted at the last colon.
[[nodiscard]] std::optional<std::pair<std::string_view, std::string_view>> split_ports(std::string_view text);

}  // namespace ts2021::policy

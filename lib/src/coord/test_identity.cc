// SPDX-License-Identifier: BSD-3-Clause
#include "coord/test_identity.h"

#include <algorithm>

#include "coord/name.h"
#include "coord/preparation.h"

namespace ts2021::coord {
namespace {

constexpr std::uint32_t first_address = 0x64400000;  // 100.64.0.0
constexpr std::size_t max_hostname_size = 253;

bool is_hostname(std::string_view text) {
  return !text.empty() && text.size() <= max_hostname_size &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.' || c == '_';
         });
}

}  // namespace

UserRecord test_user(UserId id, WallTime now) {  // TEST-3
  const std::string number = std::to_string(static_cast<std::uint64_t>(id));
  UserRecord user = new_user("user-" + number + "@fake-control.example.net", "testcontrol", id, now);
  user.display_name = "User " + number;
  return user;
}

std::string test_stable_id(NodeId node) {  // TEST-2
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (auto rest = static_cast<std::uint64_t>(node); rest != 0 || hex.size() < 8; rest /= 16)
    hex += digits[rest % 16];
  std::reverse(hex.begin(), hex.end());
  return "TESTCTRL" + hex;
}

Ipv4Address test_address(NodeId node) {  // TEST-2
  const auto number = static_cast<std::uint64_t>(node);
  return number < (1u << 22) ? Ipv4Address{first_address + static_cast<std::uint32_t>(number)}
                             : Ipv4Address{};
}

std::string test_name(std::string_view hostname, NodeId node, const Rules& rules) {  // TEST-4
  std::string name = is_hostname(hostname) ? std::string(hostname) : label_from_hostname(hostname, node);
  return rules.magic_dns_domain.empty() ? name : name + "." + rules.magic_dns_domain + ".";
}

CapMap test_capabilities() {  // TEST-5
  return {{"https", {}},
          {"funnel", {}},
          {"https://tailscale.com/cap/file-sharing", {}},
          {"https://tailscale.com/cap/funnel-ports?ports=8080,443", {}}};
}

}  // namespace ts2021::coord

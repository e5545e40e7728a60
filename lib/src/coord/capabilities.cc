// SPDX-License-Identifier: BSD-3-Clause
#include "coord/capabilities.h"

#include <algorithm>

namespace ts2021::coord {
namespace {

bool always(const CoordinatorConfig&, std::string_view) { return true; }
bool owner(const CoordinatorConfig& config, std::string_view login) {
  return config.owner.empty() ? login == "owner@" + config.base_domain : login == config.owner;
}

// MAP-44
struct Standing {
  std::string_view name;
  bool (*given)(const CoordinatorConfig&, std::string_view login);
};
constexpr Standing standing[] = {
    {"https://tailscale.com/cap/file-sharing", always},
    {"https://tailscale.com/cap/ssh", always},
    {"https://tailscale.com/cap/is-admin", owner},
    {"https://tailscale.com/cap/is-owner", owner},
    {"https://tailscale.com/cap/tailnet-lock",
     [](const CoordinatorConfig& config, std::string_view) { return config.tailnet_lock; }},
    {"https", [](const CoordinatorConfig& config, std::string_view) { return config.dns.certificates; }},
};

// Capabilities that clients look for at their peers.
constexpr std::string_view read_by_peers[] = {"suggest-exit-node", "dns-subdomain-resolve", "native-ipv4",
                                              "conn25-connector-apps"};

CapMap for_peers(const CapMap& capabilities) {
  CapMap out;
  for (const auto name : read_by_peers)
    if (const auto at = capabilities.find(std::string(name)); at != capabilities.end()) out.insert(*at);
  return out;
}

}  // namespace

CapMap own_capabilities(const NodeRecord& node, std::string_view login, const Grants::Of& grants,
                        const CoordinatorConfig& config) {
  CapMap out = node.capabilities;
  out.insert(grants.attributes.begin(), grants.attributes.end());
  if (!node.tags.empty()) login = {};
  for (const Standing& one : standing)
    if (one.given(config, login)) out.try_emplace(std::string(one.name));
  return out;
}

CapMap peer_capabilities(const NodeRecord& node, const Grants::Of& grants) {
  CapMap out = for_peers(node.capabilities);
  out.merge(for_peers(grants.attributes));
  for (const auto& source : grants.sources) out.try_emplace(source);
  return out;
}

bool peers_read_other(const CapMap& before, const CapMap& after) {
  return for_peers(before) != for_peers(after);
}

std::vector<std::string> names_of(const CapMap& capabilities) {
  std::vector<std::string> out;
  out.reserve(capabilities.size());
  for (const auto& [name, values] : capabilities) out.push_back(name);
  return out;
}

OptBool default_auto_update(const CapMap& capabilities) {
  const auto at = capabilities.find("default-auto-update");
  if (at == capabilities.end() || at->second.empty()) return std::nullopt;
  if (at->second.front().text() == "true") return true;
  if (at->second.front().text() == "false") return false;
  return std::nullopt;
}

}  // namespace ts2021::coord

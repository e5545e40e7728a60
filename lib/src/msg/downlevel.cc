// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/downlevel.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>
#include <utility>

#include "msg/downlevel_thresholds.h"

namespace ts2021 {
namespace {

constexpr std::string_view derp_prefix = "127.3.3.40:";
constexpr std::string_view capability_source = "cap:";

bool is_capability_source(std::string_view source) noexcept { return source.starts_with(capability_source); }

void list_grants(FilterRule& rule) {
  for (auto& grant : rule.cap_grant) {
    for (const auto& [capability, values] : grant.cap_map)
      if (std::find(grant.caps.begin(), grant.caps.end(), capability) == grant.caps.end())
        grant.caps.push_back(capability);
    grant.cap_map.clear();
  }
}

void drop_derp(Node& node) {
  node.derp.clear();
  node.home_derp = 0;
}

}  // namespace

std::string derp_text(int region) {
  return region == 0 ? std::string() : std::string(derp_prefix) + std::to_string(region);
}

int derp_region(std::string_view text) noexcept {
  if (!text.starts_with(derp_prefix)) return 0;
  text.remove_prefix(derp_prefix.size());
  int region = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), region);
  return error == std::errc{} && end == text.data() + text.size() && region > 0 ? region : 0;
}

void set_home_derp(Node& node, int region) {  // API-70
  node.derp = derp_text(region);
  node.home_derp = region;
}

int home_derp(const Node& node) noexcept {
  return node.home_derp != 0 ? node.home_derp : derp_region(node.derp);
}

void explicit_allowed_ips(Node& node) {  // API-71
  if (!node.allowed_ips) node.allowed_ips = node.addresses;
}

bool peer_visible(const Node& peer, Capability viewer) noexcept {  // API-72
  if (peer.is_wireguard_only && viewer < Capability::wireguard_only_peers) return false;
  if (!peer.self_node_v4_masq_addr_for_this_peer.is_none() && viewer < Capability::masquerade_v4)
    return false;
  if (!peer.self_node_v6_masq_addr_for_this_peer.is_none() && viewer < Capability::masquerade_v6)
    return false;
  return !peer.is_jailed || viewer >= Capability::jailed_peers;
}

void mark_expired(Node& peer, Capability viewer) {  // API-73
  if (!peer.expired) return;
  peer.endpoints.clear();
  drop_derp(peer);
  if (viewer < Capability::node_expired) peer.expired = false;
}

void list_capabilities(Node& node, Capability viewer) {  // API-74
  if (viewer >= Capability::node_cap_map) return;
  for (const auto& [capability, values] : node.cap_map)
    if (std::find(node.capabilities.begin(), node.capabilities.end(), capability) == node.capabilities.end())
      node.capabilities.push_back(capability);
  node.cap_map.clear();
}

void list_knobs(MapResponse& message, Capability viewer) {  // API-79
  if (viewer >= Capability::knobs_by_capability || !message.node) return;
  const auto has = [&](std::string_view name) {
    const auto& list = message.node->capabilities;
    return message.node->cap_map.contains(std::string(name)) ||
           std::find(list.begin(), list.end(), name) != list.end();
  };
  Debug debug = message.debug.value_or(Debug{});
  if (has("debug-always-stun")) {
    debug.force_background_stun = true;
    debug.set_force_background_stun = true;
  }
  if (has("randomize-client-port")) {
    debug.randomize_client_port = true;
    debug.set_randomize_client_port = true;
  }
  if (has("debug-no-wg-trim")) debug.trim_wg_config = false;
  if (has("debug-disable-subnets-if-pac")) debug.disable_subnets_if_pac = true;
  if (has("debug-disable-upnp")) debug.disable_upnp = true;
  if (has("one-cgnat?v=false")) debug.one_cgnat_route = false;
  if (has("one-cgnat?v=true")) debug.one_cgnat_route = true;
  if (has("silent-disco")) debug.enable_silent_disco = true;
  if (debug != Debug{}) message.debug = debug;
}

void set_auto_update(MapResponse& message, Capability viewer) {  // API-78
  if (viewer < Capability::auto_update_capability || !message.default_auto_update || !message.node) return;
  message.node->cap_map["default-auto-update"] = {
      RawJson::trusted(*message.default_auto_update ? "true" : "false")};
  message.default_auto_update.reset();
}

bool patch_fits(const PeerChange& change, Capability viewer) noexcept {  // API-75
  if (viewer < Capability::peer_patches) return false;
  if (change.endpoints && change.endpoints->empty()) return false;
  const bool more =
      change.key || change.disco_key || change.online.has_value() || change.last_seen || change.key_expiry;
  if (more && viewer < Capability::more_peer_patches) return false;
  if (change.key_signature && viewer < Capability::key_signatures) return false;
  if (change.cap && viewer < Capability::node_cap) return false;
  return !change.cap_map || viewer >= Capability::node_cap_map;
}

bool understands_cap_sources(Capability viewer) noexcept { return viewer >= Capability::cap_sources; }

std::vector<FilterRule> expand_sources(std::vector<FilterRule> rules,
                                       const CapabilityHolders* holders) {  // API-76
  for (auto& rule : rules) {
    if (std::none_of(rule.src_ips.begin(), rule.src_ips.end(), is_capability_source)) continue;
    std::vector<std::string> found, expanded;
    for (auto& source : rule.src_ips) {
      if (!is_capability_source(source)) {
        found.push_back(std::move(source));
      } else if (holders != nullptr) {
        holders->append(std::string_view(source).substr(capability_source.size()), found);
      }
    }
    // Who holds two of them would be there twice.
    std::unordered_set<std::string> seen;
    for (auto& source : found)
      if (seen.insert(source).second) expanded.push_back(std::move(source));
    rule.src_ips = std::move(expanded);
  }
  std::erase_if(rules, [](const FilterRule& rule) { return rule.src_ips.empty(); });
  return rules;
}

std::vector<FilterRule> rules_for(std::vector<FilterRule> rules, Capability viewer,
                                  const CapabilityHolders* holders) {  // API-76
  if (viewer < Capability::cap_grant)
    std::erase_if(rules, [](const FilterRule& rule) { return !rule.cap_grant.empty(); });
  if (viewer < Capability::peer_cap_map)
    for (auto& rule : rules) list_grants(rule);
  return understands_cap_sources(viewer) ? rules : expand_sources(std::move(rules), holders);
}

std::vector<FilterRule> joined(const std::map<std::string, std::optional<std::vector<FilterRule>>>& chunks) {
  std::vector<FilterRule> all;
  for (const auto& [name, rules] : chunks)
    if (rules) all.insert(all.end(), rules->begin(), rules->end());
  return all;
}

void downlevel(MapResponse& message, Capability viewer, const CapabilityHolders* holders) {
  const auto fit_peers = [&](std::vector<Node>& peers) {
    std::erase_if(peers, [&](const Node& peer) { return !peer_visible(peer, viewer); });
    for (auto& peer : peers) mark_expired(peer, viewer);
  };
  const auto fit_node = [&](Node& node) {
    if (viewer < Capability::implicit_allowed_ips) explicit_allowed_ips(node);
    list_capabilities(node, viewer);
  };
  list_knobs(message, viewer);
  set_auto_update(message, viewer);
  fit_peers(message.peers);
  fit_peers(message.peers_changed);
  if (message.node) fit_node(*message.node);
  for (auto& peer : message.peers) fit_node(peer);
  for (auto& peer : message.peers_changed) fit_node(peer);
  std::erase_if(message.peers_changed_patch,
                [&](const PeerChange& change) { return !patch_fits(change, viewer); });

  if (message.derp_map && !message.derp_map->regions && viewer < Capability::derp_home_params)
    message.derp_map.reset();

  if (viewer < Capability::packet_filters && !message.packet_filters.empty()) {
    auto rules = joined(message.packet_filters);
    if (message.packet_filter)
      rules.insert(rules.begin(), message.packet_filter->begin(), message.packet_filter->end());
    message.packet_filter = std::move(rules);
    message.packet_filters.clear();
  }
  if (message.packet_filter)
    message.packet_filter = rules_for(std::move(*message.packet_filter), viewer, holders);
  for (auto& [name, rules] : message.packet_filters)
    if (rules) rules = rules_for(std::move(*rules), viewer, holders);

  if (!message.display_messages.empty()) {
    if (viewer < Capability::display_messages) {
      if (!message.health) message.health.emplace();
      for (const auto& [id, text] : message.display_messages)
        if (text) message.health->push_back(text->title + ": " + text->text);
      message.display_messages.clear();
    } else {
      message.health.reset();  // never both
    }
  }
}

std::span<const Capability> downlevel_thresholds() noexcept { return downlevel_threshold_list; }

}  // namespace ts2021

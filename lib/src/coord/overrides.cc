// SPDX-License-Identifier: BSD-3-Clause
#include "coord/overrides.h"

#include <algorithm>

namespace ts2021::coord {
namespace {

// The first address of the family is another one from now on.
void replace_address(std::vector<IpPrefix>& prefixes, const IpAddress& by) {
  const auto at = std::find_if(prefixes.begin(), prefixes.end(), [&](const IpPrefix& prefix) {
    return prefix.is_host() && prefix.address.family() == by.family();
  });
  if (at == prefixes.end())
    prefixes.push_back(IpPrefix::host(by));
  else
    *at = IpPrefix::host(by);
}

}  // namespace

const Overrides::OfNode& Overrides::of(NodeId node) const {
  static const OfNode nothing;
  const auto at = nodes_.find(node);
  return at == nodes_.end() ? nothing : at->second;
}

bool Overrides::any_unsigned() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const auto& node) { return node.second.unsigned_peer_api_only; });
}

void Overrides::set_jailed(NodeId viewer, NodeId peer, bool jailed) {
  if (jailed)
    jailed_.emplace(viewer, peer);
  else
    jailed_.erase({viewer, peer});
}

bool Overrides::concern(const NodeRecord& viewer) const {
  const auto jails = jailed_.lower_bound({viewer.id, NodeId{}});
  if (jails != jailed_.end() && jails->first == viewer.id) return true;
  return std::any_of(masquerades_.begin(), masquerades_.end(),
                     [&](const Masquerade& one) { return one.node == viewer.key || one.peer == viewer.key; });
}

void Overrides::lay_over(const NodeRecord& viewer, Node& peer) const {
  if (jailed_.contains({viewer.id, peer.id})) peer.is_jailed = true;
  for (const Masquerade& one : masquerades_) {  // TEST-32
    if (one.node == viewer.key && one.peer == peer.key)
      (one.address.is_v4() ? peer.self_node_v4_masq_addr_for_this_peer
                           : peer.self_node_v6_masq_addr_for_this_peer) = one.address;
    if (one.node == peer.key && one.peer == viewer.key) {
      replace_address(peer.addresses, one.address);
      if (peer.allowed_ips) replace_address(*peer.allowed_ips, one.address);
    }
  }
}

void Overrides::forget(NodeId node) {
  nodes_.erase(node);
  std::erase_if(jailed_, [node](const auto& pair) { return pair.first == node || pair.second == node; });
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/routes.h"

#include <algorithm>

#include "ts2021/msg/hostinfo.h"

namespace ts2021::coord {
namespace {

void tidy(std::vector<IpPrefix>& routes) {
  std::sort(routes.begin(), routes.end());
  routes.erase(std::unique(routes.begin(), routes.end()), routes.end());
}

std::vector<IpPrefix> masked(const std::vector<IpPrefix>& routes) {
  std::vector<IpPrefix> out;
  out.reserve(routes.size());
  for (const IpPrefix& route : routes)
    if (!route.is_none()) out.push_back(route.masked());
  tidy(out);
  return out;
}

}  // namespace

bool is_exit_route(const IpPrefix& route) noexcept { return route.size == 0 && !route.is_none(); }

std::vector<IpPrefix> routes_in_force(const NodeRecord& node) {  // MAP-40
  std::vector<IpPrefix> out;
  if (!node.hostinfo || node.approved_routes.empty()) return out;
  const auto advertised = masked(node.hostinfo->routable_ips);
  const auto approved = masked(node.approved_routes);
  std::set_intersection(advertised.begin(), advertised.end(), approved.begin(), approved.end(),
                        std::back_inserter(out));
  return out;
}

void approve_routes(const Policy& policy, std::string_view login, NodeRecord& node) {  // MAP-41
  if (!node.hostinfo || node.hostinfo->routable_ips.empty()) return;
  std::vector<IpPrefix> approved;
  const auto known = masked(node.approved_routes);
  for (const IpPrefix& route : masked(node.hostinfo->routable_ips))
    if (!std::binary_search(known.begin(), known.end(), route) &&
        policy.approves_route(Subject{node, login}, route))
      approved.push_back(route);
  node.approved_routes.insert(node.approved_routes.end(), approved.begin(), approved.end());
}

std::vector<IpPrefix> RouteTable::primary_of(NodeId node) const {
  std::vector<IpPrefix> out;
  const auto offer = offers_.find(node);
  if (offer == offers_.end()) return out;
  for (const IpPrefix& route : offer->second.routes)
    if (prefixes_.find(route)->second.primary == node) out.push_back(route);
  return out;
}

std::vector<IpPrefix> RouteTable::replace(NodeId node, std::vector<IpPrefix> routes, bool online) {
  std::erase_if(routes, is_exit_route);
  tidy(routes);
  const auto [at, is_new] = offers_.try_emplace(node);
  Offer& offer = at->second;
  if (!is_new && offer.routes == routes && offer.online == online) return {};
  std::vector<IpPrefix> touched;
  std::set_union(offer.routes.begin(), offer.routes.end(), routes.begin(), routes.end(),
                 std::back_inserter(touched));
  for (const IpPrefix& route : offer.routes)
    if (!std::binary_search(routes.begin(), routes.end(), route)) prefixes_[route].routers.erase(node);
  for (const IpPrefix& route : routes) prefixes_[route].routers.insert(node);
  offer = {std::move(routes), online};
  if (offer.routes.empty()) offers_.erase(node);
  return touched;
}

RouteTable::Moved RouteTable::elect(const IpPrefix& route) {  // MAP-42
  const auto at = prefixes_.find(route);
  Prefix& prefix = at->second;
  const NodeId before = prefix.primary;
  const auto online = [this](NodeId node) { return offers_.find(node)->second.online; };
  const bool stays = prefix.routers.contains(before);
  if (!stays || !online(before)) {
    const auto first = std::find_if(prefix.routers.begin(), prefix.routers.end(), online);
    if (first != prefix.routers.end())
      prefix.primary = *first;
    else if (!stays)
      prefix.primary = NodeId{};
  }
  const NodeId after = prefix.primary;
  if (prefix.routers.empty()) prefixes_.erase(at);
  return {before, after};
}

}  // namespace ts2021::coord

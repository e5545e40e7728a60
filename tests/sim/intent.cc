// SPDX-License-Identifier: BSD-3-Clause
#include "sim/intent.h"

#include <algorithm>

#include "ts2021/msg/hostinfo.h"

namespace ts2021::test {
namespace {

bool has_routes(const NodeRecord& record) {
  return record.hostinfo && !record.hostinfo->routable_ips.empty() && !record.approved_routes.empty();
}

// What filters and SSH policies are made of.
bool concerns_filters(const NodeRecord& a, const NodeRecord& b) {
  return a.authorized != b.authorized || a.attributes != b.attributes || a.tags != b.tags ||
         a.user != b.user || a.v4 != b.v4 || a.key != b.key || a.approved_routes != b.approved_routes;
}

}  // namespace

bool is_in_force(const NodeRecord& record, const IpPrefix& route) {
  if (!record.hostinfo || !record.authorized) return false;
  const auto& told = record.hostinfo->routable_ips;
  const auto& approved = record.approved_routes;
  return std::any_of(told.begin(), told.end(), [&](const auto& one) { return one.masked() == route; }) &&
         std::find(approved.begin(), approved.end(), route) != approved.end();
}

const Intent::Known* Intent::find(NodeId node) const {
  const auto at = nodes_.find(node);
  return at == nodes_.end() ? nullptr : &at->second;
}

void Intent::pass(WallTime now) {
  now_ = now;
  bool any = false;
  for (; !expiries_.empty() && expiries_.begin()->first <= now; any = true) {
    touch(expiries_.begin()->second);
    expiries_.erase(expiries_.begin());
  }
  if (any) elect();
}

void Intent::change(const Changed& changed) {
  if (changed.kind != RecordKind::node) return;
  const NodeId id{changed.id};
  const auto at = nodes_.find(id);
  const bool is_new = at == nodes_.end();
  bool routes = !is_new && has_routes(*at->second.record);
  if (!is_new && at->second.record->key_expiry) expiries_.erase({*at->second.record->key_expiry, id});
  if (!changed.record) {
    if (is_new) return;
    nodes_.erase(at);
    orders_.shown_to.erase(id);
    ++subjects_;
  } else {
    const auto& record = std::get<NodeRecord>(*changed.record);
    const bool regroups = is_new || concerns_filters(*at->second.record, record);
    subjects_ += regroups;
    Known& known = nodes_[id];
    if (regroups) known.regrouped = changes_.size();
    known.holder = changed.record;
    known.record = &record;
    if (record.key_expiry && !expired(record)) expiries_.emplace(*record.key_expiry, id);
    routes |= has_routes(record);
  }
  touch(id);
  if (routes) elect();
}

void Intent::set_online(NodeId node, bool online) {
  const auto at = nodes_.find(node);
  if (at == nodes_.end()) return;
  at->second.online = online;
  touch(node);
  if (has_routes(*at->second.record)) elect();
}

void Intent::restart(Orders orders) {
  orders_ = std::move(orders);
  nodes_.clear();
  expiries_.clear();
  primaries_.clear();
  ++epoch_;
}

bool Intent::offers(const Known& node, const IpPrefix& route) const {
  return is_in_force(*node.record, route) && !expired(*node.record) &&
         !orders_.laid.routes.contains(node.record->id);
}

// MAP-42: who routes a subnet goes on with it while he offers it, unless he is offline and another is not.
void Intent::elect() {
  std::map<IpPrefix, std::vector<const Known*>> routers;
  for (const auto& [id, known] : nodes_)
    if (has_routes(*known.record))
      for (const auto& route : known.record->approved_routes)
        if (route.size != 0 && offers(known, route)) routers[route].push_back(&known);
  std::map<IpPrefix, NodeId> after;
  for (const auto& [route, those] : routers) {
    const auto before = primaries_.find(route);
    NodeId chosen{}, first{};
    for (const Known* one : those) {
      const NodeId id = one->record->id;
      if (one->online && first == NodeId{}) first = id;
      if (before != primaries_.end() && before->second == id) chosen = id;
    }
    if (first != NodeId{} && (chosen == NodeId{} || !find(chosen)->online)) chosen = first;
    if (chosen != NodeId{}) after[route] = chosen;
  }
  if (after == primaries_) return;
  for (const auto* side : {&primaries_, &after})
    for (const auto& [route, id] : *side) {
      const auto& other = side == &after ? primaries_ : after;
      const auto at = other.find(route);
      if (at == other.end() || at->second != id) touch(id);
    }
  primaries_ = std::move(after);
}

}  // namespace ts2021::test

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/override_orders.h"

#include <algorithm>
#include <set>

namespace ts2021::coord {
namespace {

using Done = coord_event::CommandDone;
using namespace coord_command;

// A change that all viewers see alike is noted in the change log. What concerns pairs of nodes, or
// everybody's filter, is told by whole maps to whom it concerns (TEST-31).
struct OverrideOrders {
  CommandId id{};
  CoordinatorConfig& config;
  Tailnet& tailnet;
  FanOut& fan_out;

  [[nodiscard]] Done done(std::string body = {}) const { return {id, 200, {}, std::move(body)}; }
  [[nodiscard]] Done unknown() const { return {id, 404, "no such node", {}}; }
  [[nodiscard]] Overrides& overrides() const { return fan_out.overrides(); }

  std::optional<Done> operator()(const OverrideRoutes& order) const {
    if (!tailnet.find(order.node)) return unknown();
    auto routes = order.routes;
    if (routes)
      for (IpPrefix& route : *routes) route = route.masked();
    overrides().change(order.node, [&](auto& node) { node.routes = std::move(routes); });
    tailnet.exclude_from_election(order.node, order.routes.has_value());
    tailnet.log().changed(order.node, Part::whole);
    return done();
  }
  std::optional<Done> operator()(const OverrideCapabilities& order) const {
    if (!tailnet.find(order.node)) return unknown();
    overrides().change(order.node, [&](auto& node) { node.capabilities = order.capabilities; });
    tailnet.log().changed(order.node, Part::own | Part::cap_map);
    return done();
  }
  std::optional<Done> operator()(const SetUnsignedPeerApiOnly& order) const {
    if (!tailnet.find(order.node)) return unknown();
    overrides().change(order.node, [&](auto& node) { node.unsigned_peer_api_only = order.value; });
    fan_out.renew_all();
    return done();
  }
  std::optional<Done> operator()(const SetJailed& order) const {
    if (!tailnet.find(order.viewer) || !tailnet.find(order.peer)) return unknown();
    overrides().set_jailed(order.viewer, order.peer, order.jailed);
    fan_out.renew(order.viewer);
    return done();
  }
  std::optional<Done> operator()(const SetMasquerades& order) const {
    if (std::any_of(order.all.begin(), order.all.end(),
                    [](const Masquerade& one) { return one.address.is_none() || one.address.has_zone(); }))
      return Done{id, 400, "a masquerade has an address", {}};
    std::set<NodePublic> concerned;
    for (const auto* all : {&overrides().masquerades(), &order.all})
      for (const Masquerade& one : *all) concerned.insert({one.node, one.peer});
    overrides().set_masquerades(order.all);
    for (const NodePublic& key : concerned)
      if (const NodeState* state = tailnet.find(key)) fan_out.renew(state->record->id);
    return done();
  }
  std::optional<Done> operator()(const SetAppCaps& order) const {
    overrides().all.app_caps = order.capabilities;
    fan_out.renew_all();
    return done();
  }
  std::optional<Done> operator()(const SetSshPolicy& order) const {
    overrides().all.ssh = order.policy;
    fan_out.renew_all();
    return done();
  }
  std::optional<Done> operator()(const SetDnsConfig& order) const {
    overrides().all.dns = order.config;
    fan_out.dns_changed();
    return done();
  }
  // `body` is what nodes are told as DNS settings now, except for names of their own.
  std::optional<Done> operator()(const AddDnsRecords& order) const {
    auto& dns = overrides().all.dns;
    if (config.test_mode && !dns) dns.emplace();
    auto& records = dns ? dns->extra_records : config.dns.extra_records;
    records.insert(records.end(), order.records.begin(), order.records.end());
    fan_out.dns_changed();
    return done(dns ? encoded(*dns) : std::string());
  }
  std::optional<Done> operator()(const auto&) const { return std::nullopt; }
};

}  // namespace

std::optional<Done> lay_over(const CoordCommand& command, CoordinatorConfig& config, Tailnet& tailnet,
                             FanOut& fan_out) {
  return std::visit(OverrideOrders{command.id, config, tailnet, fan_out}, command.order);
}

}  // namespace ts2021::coord

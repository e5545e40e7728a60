// SPDX-License-Identifier: BSD-3-Clause
#include "coord/map_update.h"

#include <algorithm>

#include "coord/routes.h"

namespace ts2021::coord {
namespace {

// MAP-33: what peers could not use is dropped, the order stays.
void take_endpoints(const MapRequest& request, NodeRecord& record) {
  const bool typed = request.endpoint_types.size() == request.endpoints.size();
  std::vector<IpPort> endpoints;
  std::vector<int> types;
  for (std::size_t i = 0; i < request.endpoints.size() && endpoints.size() < max_endpoints; ++i) {
    const IpPort& endpoint = request.endpoints[i];
    if (endpoint.is_none() || endpoint.address.has_zone() ||
        (endpoint.address.is_v6() && endpoint.address.is_link_local()))
      continue;
    if (std::find(endpoints.begin(), endpoints.end(), endpoint) != endpoints.end()) continue;
    endpoints.push_back(endpoint);
    if (typed) types.push_back(request.endpoint_types[i]);
  }
  record.endpoints = std::move(endpoints);
  record.endpoint_types = std::move(types);
}

bool same(const NodeRecord& a, const NodeRecord& b) {
  return a.disco == b.disco && a.endpoints == b.endpoints && a.endpoint_types == b.endpoint_types &&
         a.home_derp == b.home_derp && a.capability == b.capability && a.hostname == b.hostname &&
         a.given_name == b.given_name && a.hostinfo == b.hostinfo && a.tags == b.tags &&
         a.requested_tags == b.requested_tags && a.key_expiry == b.key_expiry &&
         a.approved_routes == b.approved_routes;
}

}  // namespace

MapKind kind_of(const MapRequest& request) noexcept {  // MAP-20
  if (request.stream) return request.read_only ? MapKind::silent_poll : MapKind::poll;
  if (request.read_only) return MapKind::silent_fetch;
  return request.omit_peers ? MapKind::update : MapKind::fetch;
}

MapUpdate map_update(Registrar& registrar, const Policy& policy, const Subject& subject,
                     const MapRequest& request, WallTime now) {
  const NodeRecord& before = subject.node;
  MapUpdate update;
  const MapKind kind = kind_of(request);
  if (kind == MapKind::silent_poll || kind == MapKind::silent_fetch) return update;
  NodeRecord record = before;
  record.capability = request.version;
  if (request.hostinfo)
    registrar.apply_hostinfo(*request.hostinfo, record, update.reserved, {policy, subject.login, now});
  // MAP-34: newer clients open their poll before they know these, and would erase what an update has just
  // told.
  if (kind != MapKind::poll || request.version < Capability::separate_updates) {
    if (!request.disco_key.is_zero()) record.disco = request.disco_key;
    if (kind != MapKind::poll || !request.endpoints.empty()) take_endpoints(request, record);
  }
  if (same(before, record)) return update;
  update.durable = before.given_name != record.given_name || before.tags != record.tags ||
                   before.requested_tags != record.requested_tags || before.key_expiry != record.key_expiry ||
                   before.approved_routes != record.approved_routes || !before.hostinfo ||
                   concerns_peers(*before.hostinfo, *record.hostinfo);
  update.record = std::move(record);
  return update;
}

}  // namespace ts2021::coord

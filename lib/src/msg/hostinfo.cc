// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/hostinfo.h"

#include "msg/codec_impl.h"
#include "ts2021/msg/clean.h"

namespace ts2021 {

Hostinfo peer_view(const Hostinfo& own) {  // API-69, API-77
  Hostinfo seen;
  seen.os = clean_text(own.os);
  seen.hostname = clean_text(own.hostname);
  seen.sharee_node = own.sharee_node;
  seen.wire_ingress = own.wire_ingress;
  seen.ingress_enabled = own.ingress_enabled;
  seen.routable_ips = clean_routes(own.routable_ips);
  seen.services = clean_services(own.services);
  seen.ssh_host_keys = clean_ssh_keys(own.ssh_host_keys);
  seen.app_connector = own.app_connector;
  seen.peer_relay = own.peer_relay;
  if (const auto& at = own.location)
    seen.location = Location{.country = clean_text(at->country),
                             .country_code = clean_text(at->country_code),
                             .city = clean_text(at->city),
                             .city_code = clean_text(at->city_code),
                             .latitude = at->latitude,
                             .longitude = at->longitude,
                             .priority = at->priority};
  return seen;
}

bool concerns_peers(const Hostinfo& before, const Hostinfo& after) {
  const auto home = [](const Hostinfo& of) { return of.net_info ? of.net_info->preferred_derp : 0; };
  return peer_view(before) != peer_view(after) || before.request_tags != after.request_tags ||
         before.services_hash != after.services_hash || (home(after) != 0 && home(before) != home(after));
}

TS_MESSAGE(Hostinfo);
TS_MESSAGE(NetInfo);
TS_MESSAGE(Service);

}  // namespace ts2021

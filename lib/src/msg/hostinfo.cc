// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/hostinfo.h"

#include "msg/codec_impl.h"

namespace ts2021 {

Hostinfo peer_view(const Hostinfo& own) {  // API-69
  Hostinfo seen;
  seen.os = own.os;
  seen.hostname = own.hostname;
  seen.sharee_node = own.sharee_node;
  seen.wire_ingress = own.wire_ingress;
  seen.ingress_enabled = own.ingress_enabled;
  seen.routable_ips = own.routable_ips;
  seen.services = own.services;
  seen.ssh_host_keys = own.ssh_host_keys;
  seen.app_connector = own.app_connector;
  seen.peer_relay = own.peer_relay;
  seen.location = own.location;
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

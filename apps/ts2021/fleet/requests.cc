// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/requests.h"

#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"

namespace ts2021::app::fleet {
namespace {

// About as much as a real client on a server tells.
Hostinfo hostinfo_of(const Node& node) {
  Hostinfo host;
  host.ipn_version = "1.98.0-ts2021-fleet";
  host.backend_log_id = "fleet";
  host.os = "linux";
  host.os_version = "6.1.0";
  host.distro = "debian";
  host.distro_version = "12";
  host.distro_code_name = "bookworm";
  host.hostname = node.identity.hostname;
  host.machine = "x86_64";
  host.go_arch = "amd64";
  host.services = {{"peerapi4", 43210, ""}, {"peerapi6", 43210, ""}};
  NetInfo& net = host.net_info.emplace();
  net.mapping_varies_by_dest_ip = false;
  net.working_ipv6 = false;
  net.working_udp = true;
  net.preferred_derp = node.home_derp;
  net.derp_latency = {{"1-v4", 0.01}};
  return host;
}

}  // namespace

std::string register_request(const Node& node, const Speech& speech) {
  RegisterRequest request;
  request.version = speech.capability;
  request.node_key = node.identity.node;
  request.hostinfo = hostinfo_of(node);
  if (!speech.auth_key.empty()) request.auth.emplace().auth_key = speech.auth_key;
  return encoded(request);
}

std::string map_request(const Node& node, const Speech& speech, const Markers& markers, MapPurpose purpose) {
  MapRequest request;
  request.version = speech.capability;
  if (speech.compression == Compression::zstd) request.compress = "zstd";
  request.node_key = node.identity.node;
  request.disco_key = node.identity.disco;
  request.hostinfo = hostinfo_of(node);
  const IpPort local{IpAddress::v4(192u << 24 | 168u << 16 | (node.number & 0xffff)), 41641};
  request.endpoints = {markers.endpoint(node.number, node.generation), local};
  request.endpoint_types = {2, 1};
  request.keep_alive = true;
  if (purpose == MapPurpose::stream) {
    request.stream = true;
    request.omit_peers = node.errand.omit_peers;
  } else {
    request.omit_peers = true;
  }
  return encoded(request);
}

}  // namespace ts2021::app::fleet

// SPDX-License-Identifier: BSD-3-Clause
// What a client tells about its host, and the part of it that peers may see.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

// `proto`: tcp, udp, peerapi4, peerapi6, peerapi-dns-proxy.
struct Service {
  std::string proto;
  std::uint16_t port = 0;
  std::string description;
  friend bool operator==(const Service&, const Service&) = default;
};
constexpr auto fields(const Service*) {
  return std::tuple{always<"Proto", &Service::proto>, always<"Port", &Service::port>,
                    Field<"Description", &Service::description>{}};
}

struct NetInfo {
  OptBool mapping_varies_by_dest_ip, hair_pinning, working_ipv6, os_has_ipv6, working_udp, working_icmpv4;
  bool have_port_map = false;
  OptBool upnp, pmp, pcp;
  int preferred_derp = 0;  // the home relay; 0: unknown, keep the old value
  std::string link_type;
  std::map<std::string, double> derp_latency;  // "<region>-v4" → seconds
  std::string firewall_mode;
  friend bool operator==(const NetInfo&, const NetInfo&) = default;
};
constexpr auto fields(const NetInfo*) {
  return std::tuple{Field<"MappingVariesByDestIP", &NetInfo::mapping_varies_by_dest_ip>{},
                    Field<"HairPinning", &NetInfo::hair_pinning>{},
                    Field<"WorkingIPv6", &NetInfo::working_ipv6>{},
                    Field<"OSHasIPv6", &NetInfo::os_has_ipv6>{},
                    Field<"WorkingUDP", &NetInfo::working_udp>{},
                    Field<"WorkingICMPv4", &NetInfo::working_icmpv4>{},
                    Field<"HavePortMap", &NetInfo::have_port_map>{},
                    Field<"UPnP", &NetInfo::upnp>{},
                    Field<"PMP", &NetInfo::pmp>{},
                    Field<"PCP", &NetInfo::pcp>{},
                    Field<"PreferredDERP", &NetInfo::preferred_derp>{},
                    Field<"LinkType", &NetInfo::link_type>{},
                    Field<"DERPLatency", &NetInfo::derp_latency>{},
                    Field<"FirewallMode", &NetInfo::firewall_mode>{}};
}

struct Location {
  std::string country, country_code, city, city_code;
  double latitude = 0, longitude = 0;
  int priority = 0;
  friend bool operator==(const Location&, const Location&) = default;
};
constexpr auto fields(const Location*) {
  return std::tuple{Field<"Country", &Location::country>{},   Field<"CountryCode", &Location::country_code>{},
                    Field<"City", &Location::city>{},         Field<"CityCode", &Location::city_code>{},
                    Field<"Latitude", &Location::latitude>{}, Field<"Longitude", &Location::longitude>{},
                    Field<"Priority", &Location::priority>{}};
}

struct TPMInfo {
  std::string manufacturer, vendor;
  int model = 0;
  std::uint64_t firmware_version = 0;
  int spec_revision = 0;
  std::string family_indicator;
  friend bool operator==(const TPMInfo&, const TPMInfo&) = default;
};
constexpr auto fields(const TPMInfo*) {
  return std::tuple{Field<"Manufacturer", &TPMInfo::manufacturer>{},
                    Field<"Vendor", &TPMInfo::vendor>{},
                    Field<"Model", &TPMInfo::model>{},
                    Field<"FirmwareVersion", &TPMInfo::firmware_version>{},
                    Field<"SpecRevision", &TPMInfo::spec_revision>{},
                    Field<"FamilyIndicator", &TPMInfo::family_indicator>{}};
}

struct Hostinfo {
  std::string ipn_version, frontend_log_id, backend_log_id;
  std::string os, os_version;
  OptBool container;
  std::string env, distro, distro_version, distro_code_name, app;
  OptBool desktop;
  std::string package, device_model, push_device_token, hostname;
  bool shields_up = false;
  bool sharee_node = false;  // set by the server only
  bool no_logs_no_support = false;
  bool remote_config = false;
  bool wire_ingress = false, ingress_enabled = false;  // the second implies the first
  bool allows_update = false;
  std::string machine, go_arch, go_arch_var, go_version;
  std::vector<IpPrefix> routable_ips;  // advertised routes
  std::vector<std::string> request_tags, wol_macs;
  std::vector<Service> services;
  std::optional<NetInfo> net_info;  // absent: unchanged
  std::vector<std::string> ssh_host_keys;
  std::string cloud;
  OptBool userspace, userspace_router, app_connector;
  std::string services_hash;
  bool peer_relay = false;
  std::string exit_node_id;
  std::optional<Location> location;
  std::optional<TPMInfo> tpm;
  OptBool state_encrypted;

  // The object as received, unknown members included; what a store keeps. encode() writes the typed parts.
  RawJson raw;
  friend bool operator==(const Hostinfo&, const Hostinfo&) = default;
};
constexpr auto fields(const Hostinfo*) {
  return std::tuple{Field<"IPNVersion", &Hostinfo::ipn_version>{},
                    Field<"FrontendLogID", &Hostinfo::frontend_log_id>{},
                    Field<"BackendLogID", &Hostinfo::backend_log_id>{},
                    Field<"OS", &Hostinfo::os>{},
                    Field<"OSVersion", &Hostinfo::os_version>{},
                    Field<"Container", &Hostinfo::container>{},
                    Field<"Env", &Hostinfo::env>{},
                    Field<"Distro", &Hostinfo::distro>{},
                    Field<"DistroVersion", &Hostinfo::distro_version>{},
                    Field<"DistroCodeName", &Hostinfo::distro_code_name>{},
                    Field<"App", &Hostinfo::app>{},
                    Field<"Desktop", &Hostinfo::desktop>{},
                    Field<"Package", &Hostinfo::package>{},
                    Field<"DeviceModel", &Hostinfo::device_model>{},
                    Field<"PushDeviceToken", &Hostinfo::push_device_token>{},
                    Field<"Hostname", &Hostinfo::hostname>{},
                    Field<"ShieldsUp", &Hostinfo::shields_up>{},
                    Field<"ShareeNode", &Hostinfo::sharee_node>{},
                    Field<"NoLogsNoSupport", &Hostinfo::no_logs_no_support>{},
                    Field<"RemoteConfig", &Hostinfo::remote_config>{},
                    Field<"WireIngress", &Hostinfo::wire_ingress>{},
                    Field<"IngressEnabled", &Hostinfo::ingress_enabled>{.since = Capability::ingress_enabled},
                    Field<"AllowsUpdate", &Hostinfo::allows_update>{},
                    Field<"Machine", &Hostinfo::machine>{},
                    Field<"GoArch", &Hostinfo::go_arch>{},
                    Field<"GoArchVar", &Hostinfo::go_arch_var>{},
                    Field<"GoVersion", &Hostinfo::go_version>{},
                    Field<"RoutableIPs", &Hostinfo::routable_ips>{},
                    Field<"RequestTags", &Hostinfo::request_tags>{},
                    Field<"WoLMACs", &Hostinfo::wol_macs>{},
                    Field<"Services", &Hostinfo::services>{},
                    Field<"NetInfo", &Hostinfo::net_info>{},
                    Field<"sshHostKeys", &Hostinfo::ssh_host_keys>{},
                    Field<"Cloud", &Hostinfo::cloud>{},
                    Field<"Userspace", &Hostinfo::userspace>{},
                    Field<"UserspaceRouter", &Hostinfo::userspace_router>{},
                    Field<"AppConnector", &Hostinfo::app_connector>{},
                    Field<"ServicesHash", &Hostinfo::services_hash>{.since = Capability::vip_services},
                    Field<"PeerRelay", &Hostinfo::peer_relay>{.since = Capability::peer_relay},
                    Field<"ExitNodeID", &Hostinfo::exit_node_id>{},
                    Field<"Location", &Hostinfo::location>{},
                    Field<"TPM", &Hostinfo::tpm>{},
                    Field<"StateEncrypted", &Hostinfo::state_encrypted>{}};
}

// What peers may see: nothing that tells of logs, networks, tokens or devices (API-69), within the limits of
// clean.h and without anything that one of them could not read (API-77). `raw` is empty.
[[nodiscard]] Hostinfo peer_view(const Hostinfo& own);
// Whether others must hear of the change: what peers see, tags, hosted services, and a home relay other than
// 0, which means "unchanged".
[[nodiscard]] bool concerns_peers(const Hostinfo& before, const Hostinfo& after);

}  // namespace ts2021

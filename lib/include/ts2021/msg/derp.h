// SPDX-License-Identifier: BSD-3-Clause
// The map of relays. decode<DERPMap> also reads the file that an operator gives.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

struct DERPNode {
  std::string name;  // unique, like "900a"
  int region_id = 0;
  std::string host_name;
  std::string cert_name;   // or "sha256-raw:<hex>" of a self-signed certificate
  std::string ipv4, ipv6;  // a literal, or "none"
  int stun_port = 0;       // 0: 3478; -1: off
  bool stun_only = false;
  int derp_port = 0;  // 0: 443
  bool insecure_for_tests = false;
  std::string stun_test_ip;
  bool can_port80 = false;
  RawJson extra{};
  friend bool operator==(const DERPNode&, const DERPNode&) = default;
};
constexpr auto fields(const DERPNode*) {
  return std::tuple{always<"Name", &DERPNode::name>,
                    always<"RegionID", &DERPNode::region_id>,
                    always<"HostName", &DERPNode::host_name>,
                    Field<"CertName", &DERPNode::cert_name>{},
                    Field<"IPv4", &DERPNode::ipv4>{},
                    Field<"IPv6", &DERPNode::ipv6>{},
                    Field<"STUNPort", &DERPNode::stun_port>{},
                    Field<"STUNOnly", &DERPNode::stun_only>{},
                    Field<"DERPPort", &DERPNode::derp_port>{},
                    Field<"InsecureForTests", &DERPNode::insecure_for_tests>{},
                    Field<"STUNTestIP", &DERPNode::stun_test_ip>{},
                    Field<"CanPort80", &DERPNode::can_port80>{}};
}

struct DERPRegion {
  int region_id = 0;
  std::string region_code, region_name;
  double latitude = 0, longitude = 0;
  bool avoid = false;
  bool no_measure_no_home = false;
  std::vector<DERPNode> nodes;
  RawJson extra{};
  friend bool operator==(const DERPRegion&, const DERPRegion&) = default;
};
constexpr auto fields(const DERPRegion*) {
  return std::tuple{
      always<"RegionID", &DERPRegion::region_id>,
      always<"RegionCode", &DERPRegion::region_code>,
      always<"RegionName", &DERPRegion::region_name>,
      Field<"Latitude", &DERPRegion::latitude>{},
      Field<"Longitude", &DERPRegion::longitude>{},
      Field<"Avoid", &DERPRegion::avoid>{},
      Field<"NoMeasureNoHome", &DERPRegion::no_measure_no_home>{.since = Capability::no_measure_no_home},
      always<"Nodes", &DERPRegion::nodes>};
}

struct DERPHomeParams {
  std::optional<std::map<int, double>> region_score;  // absent: unchanged; empty: reset
  RawJson extra{};
  friend bool operator==(const DERPHomeParams&, const DERPHomeParams&) = default;
};
constexpr auto fields(const DERPHomeParams*) {
  return std::tuple{Field<"RegionScore", &DERPHomeParams::region_score>{}};
}

struct DERPMap {
  std::optional<DERPHomeParams> home_params;         // absent: unchanged
  std::optional<std::map<int, DERPRegion>> regions;  // absent: unchanged
  bool omit_default_regions = false;
  RawJson extra{};
  friend bool operator==(const DERPMap&, const DERPMap&) = default;
};
constexpr auto fields(const DERPMap*) {
  return std::tuple{Field<"HomeParams", &DERPMap::home_params>{.since = Capability::derp_home_params},
                    Field<"Regions", &DERPMap::regions>{},
                    Field<"omitDefaultRegions", &DERPMap::omit_default_regions>{}};
}

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// Questions that ride in map messages, and their answers.
#pragma once

#include <string>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

// Rust insists on URLIsNoise and Types, so they are always written where they exist.
struct PingRequest {
  std::string url;  // unique per request
  bool url_is_noise = false;
  bool log = false;
  std::string types;  // "", "c2n", or of disco, TSMP, ICMP, peerapi with commas and no spaces
  IpAddress ip;
  Blob payload;  // c2n: a complete HTTP/1 request
  friend bool operator==(const PingRequest&, const PingRequest&) = default;
};
constexpr auto fields(const PingRequest*) {
  return std::tuple{
      always<"URL", &PingRequest::url>,
      Field<"URLIsNoise", &PingRequest::url_is_noise>{.since = Capability::noise_ping_url,
                                                      .omit_empty = false},
      Field<"Log", &PingRequest::log>{},
      Field<"Types", &PingRequest::types>{.since = Capability::typed_pings, .omit_empty = false},
      Field<"IP", &PingRequest::ip>{.since = Capability::typed_pings},
      Field<"Payload", &PingRequest::payload>{.since = Capability::c2n}};
}

struct PingResponse {
  std::string type;
  std::string ip, node_ip, node_name, err;
  double latency_seconds = 0;
  std::string endpoint, peer_relay;
  int derp_region_id = 0;
  std::string derp_region_code;
  std::uint16_t peer_api_port = 0;
  bool is_local_ip = false;
  friend bool operator==(const PingResponse&, const PingResponse&) = default;
};
constexpr auto fields(const PingResponse*) {
  return std::tuple{always<"Type", &PingResponse::type>,
                    Field<"IP", &PingResponse::ip>{},
                    Field<"NodeIP", &PingResponse::node_ip>{},
                    Field<"NodeName", &PingResponse::node_name>{},
                    Field<"Err", &PingResponse::err>{},
                    Field<"LatencySeconds", &PingResponse::latency_seconds>{},
                    Field<"Endpoint", &PingResponse::endpoint>{},
                    Field<"PeerRelay", &PingResponse::peer_relay>{},
                    Field<"DERPRegionID", &PingResponse::derp_region_id>{},
                    Field<"DERPRegionCode", &PingResponse::derp_region_code>{},
                    Field<"PeerAPIPort", &PingResponse::peer_api_port>{},
                    Field<"IsLocalIP", &PingResponse::is_local_ip>{}};
}

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// POST /machine/map: the request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/hostinfo.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

struct MapRequest {
  Capability version{};  // 0: malformed; 1 on TS2019
  std::string compress;  // "zstd" or empty
  bool keep_alive = false;
  NodePublic node_key;
  DiscoPublic disco_key;
  HardwareAttestationPublic hardware_attestation_key;
  Blob hardware_attestation_key_signature;
  Time hardware_attestation_key_signature_timestamp;
  bool stream = false;
  std::optional<Hostinfo> hostinfo;
  std::string map_session_handle;
  std::int64_t map_session_seq = 0;
  std::vector<IpPort> endpoints;  // the whole list, in the client's order; zones not yet dropped
  std::vector<int>
      endpoint_types;  // parallel: 0 unknown, 1 local, 2 STUN, 3 mapped, 4 STUN + local port, 5 set
  std::string tka_head;
  bool read_only = false, omit_peers = false;
  std::vector<std::string> debug_flags;
  std::string connection_handle_for_test;
  friend bool operator==(const MapRequest&, const MapRequest&) = default;
};
constexpr auto fields(const MapRequest*) {
  return std::tuple{
      always<"Version", &MapRequest::version>,
      Field<"Compress", &MapRequest::compress>{},
      Field<"KeepAlive", &MapRequest::keep_alive>{},
      always<"NodeKey", &MapRequest::node_key>,
      always<"DiscoKey", &MapRequest::disco_key>,
      Field<"HardwareAttestationKey", &MapRequest::hardware_attestation_key>{},
      Field<"HardwareAttestationKeySignature", &MapRequest::hardware_attestation_key_signature>{},
      Field<"HardwareAttestationKeySignatureTimestamp",
            &MapRequest::hardware_attestation_key_signature_timestamp>{},
      Field<"Stream", &MapRequest::stream>{},
      Field<"Hostinfo", &MapRequest::hostinfo>{},
      Field<"MapSessionHandle", &MapRequest::map_session_handle>{},
      Field<"MapSessionSeq", &MapRequest::map_session_seq>{},
      Field<"Endpoints", &MapRequest::endpoints>{},
      Field<"EndpointTypes", &MapRequest::endpoint_types>{},
      Field<"TKAHead", &MapRequest::tka_head>{},
      Field<"ReadOnly", &MapRequest::read_only>{},
      Field<"OmitPeers", &MapRequest::omit_peers>{},
      Field<"DebugFlags", &MapRequest::debug_flags>{},
      Field<"ConnectionHandleForTest", &MapRequest::connection_handle_for_test>{}};
}

}  // namespace ts2021

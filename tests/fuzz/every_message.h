// SPDX-License-Identifier: BSD-3-Clause
// All messages there are, by the fuzz target that reads them. cmake/fuzzed_messages.cmake compares the list
// with the messages of lib/src.
#pragma once

#include <tuple>
#include <utility>

#include "fuzz/message_fuzz.h"
#include "ts2021/msg/early_noise.h"
#include "ts2021/msg/endpoint.h"
#include "ts2021/msg/id_token.h"
#include "ts2021/msg/map_outline.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/map_response.h"
#include "ts2021/msg/register.h"
#include "ts2021/msg/server_key.h"
#include "ts2021/msg/tka.h"

namespace ts2021::fuzz {

// Each with a target of its own besides.
using LargeMessages = std::tuple<RegisterRequest, RegisterResponse, MapRequest, MapResponse>;
// json_endpoints
using EndpointMessages =
    std::tuple<NamedNode, SetDNSRequest, EmptyResponse, HealthChangeRequest, TokenRequest, TokenResponse,
               QueryFeatureRequest, QueryFeatureResponse, WebClientAuthResponse, SetDeviceAttributesRequest,
               AuditLogRequest, DERPAdmitClientRequest, DERPAdmitClientResponse, PingRequest, PingResponse,
               SSHAction, SSHEventNotifyRequest, ServerKey, EarlyNoise, TokenHeader, TokenClaims, WebKeySet,
               OpenIdConfiguration>;
// json_lock
using LockMessages =
    std::tuple<TKAInfo, TKAInitBeginRequest, TKASignInfo, TKAInitBeginResponse, TKAInitFinishRequest,
               TKABootstrapRequest, TKABootstrapResponse, TKASyncOfferRequest, TKASyncOfferResponse,
               TKASyncSendRequest, TKASyncSendResponse, TKADisableRequest, TKASubmitSignatureRequest,
               TKASignaturesUsingKeyRequest, TKASignaturesUsingKeyResponse>;
// json_parts
using MapParts = std::tuple<Node, PeerChange, Hostinfo, NetInfo, Service, DERPMap, DERPRegion, DERPNode,
                            DERPHomeParams, DNSConfig, Resolver, DNSRecord, FilterRule, CapGrant, SSHPolicy,
                            User, Login, UserProfile, Debug, ControlDialPlan, ClientVersion, DisplayMessage,
                            MapOutline, NodeOutline, PeerChangeOutline>;

template <class Messages>
void check_all(Bytes json) {
  [json]<std::size_t... I>(std::index_sequence<I...>) {
    (check_stable<std::tuple_element_t<I, Messages>>(json), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<Messages>>{});
}

}  // namespace ts2021::fuzz

// SPDX-License-Identifier: BSD-3-Clause
// The messages of the smaller endpoints.
#pragma once

#include <map>
#include <string>

#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

// What every request of a node has in common.
struct NamedNode {
  NodePublic node_key;
  friend bool operator==(const NamedNode&, const NamedNode&) = default;
};
constexpr auto fields(const NamedNode*) { return std::tuple{always<"NodeKey", &NamedNode::node_key>}; }

// POST /machine/set-dns; answered with an empty object.
struct SetDNSRequest {
  Capability version{};
  NodePublic node_key;
  std::string name, type, value;
  friend bool operator==(const SetDNSRequest&, const SetDNSRequest&) = default;
};
constexpr auto fields(const SetDNSRequest*) {
  return std::tuple{always<"Version", &SetDNSRequest::version>, always<"NodeKey", &SetDNSRequest::node_key>,
                    always<"Name", &SetDNSRequest::name>, always<"Type", &SetDNSRequest::type>,
                    always<"Value", &SetDNSRequest::value>};
}

// An answer without members.
struct EmptyResponse {
  friend bool operator==(const EmptyResponse&, const EmptyResponse&) = default;
};
constexpr auto fields(const EmptyResponse*) { return std::tuple{}; }

// POST /machine/update-health.
struct HealthChangeRequest {
  std::string subsys;
  std::string error;    // empty: cleared
  NodePublic node_key;  // zero up to 1.60
  friend bool operator==(const HealthChangeRequest&, const HealthChangeRequest&) = default;
};
constexpr auto fields(const HealthChangeRequest*) {
  return std::tuple{always<"Subsys", &HealthChangeRequest::subsys>,
                    always<"Error", &HealthChangeRequest::error>,
                    always<"NodeKey", &HealthChangeRequest::node_key>};
}

// POST /machine/id-token.
struct TokenRequest {
  Capability cap_version{};
  NodePublic node_key;
  std::string audience;
  friend bool operator==(const TokenRequest&, const TokenRequest&) = default;
};
constexpr auto fields(const TokenRequest*) {
  return std::tuple{always<"CapVersion", &TokenRequest::cap_version>,
                    always<"NodeKey", &TokenRequest::node_key>, always<"Audience", &TokenRequest::audience>};
}

struct TokenResponse {
  std::string id_token;  // a signed JWT
  friend bool operator==(const TokenResponse&, const TokenResponse&) = default;
};
constexpr auto fields(const TokenResponse*) {
  return std::tuple{always<"id_token", &TokenResponse::id_token>};
}

// POST /machine/feature/query.
struct QueryFeatureRequest {
  std::string feature;
  NodePublic node_key;
  friend bool operator==(const QueryFeatureRequest&, const QueryFeatureRequest&) = default;
};
constexpr auto fields(const QueryFeatureRequest*) {
  return std::tuple{Field<"Feature", &QueryFeatureRequest::feature>{},
                    Field<"NodeKey", &QueryFeatureRequest::node_key>{}};
}

struct QueryFeatureResponse {
  bool complete = false;
  std::string text, url;
  bool should_wait = false;
  friend bool operator==(const QueryFeatureResponse&, const QueryFeatureResponse&) = default;
};
constexpr auto fields(const QueryFeatureResponse*) {
  return std::tuple{Field<"Complete", &QueryFeatureResponse::complete>{},
                    Field<"Text", &QueryFeatureResponse::text>{}, Field<"URL", &QueryFeatureResponse::url>{},
                    Field<"ShouldWait", &QueryFeatureResponse::should_wait>{}};
}

// POST /machine/webclient/…
struct WebClientAuthResponse {
  std::string id, url;
  bool complete = false;
  friend bool operator==(const WebClientAuthResponse&, const WebClientAuthResponse&) = default;
};
constexpr auto fields(const WebClientAuthResponse*) {
  return std::tuple{Field<"ID", &WebClientAuthResponse::id>{}, Field<"URL", &WebClientAuthResponse::url>{},
                    Field<"Complete", &WebClientAuthResponse::complete>{}};
}

// PATCH /machine/set-device-attr.
struct SetDeviceAttributesRequest {
  Capability version{};
  NodePublic node_key;
  std::map<std::string, RawJson> update;  // text, number, bool; null deletes
  friend bool operator==(const SetDeviceAttributesRequest&, const SetDeviceAttributesRequest&) = default;
};
constexpr auto fields(const SetDeviceAttributesRequest*) {
  return std::tuple{always<"Version", &SetDeviceAttributesRequest::version>,
                    always<"NodeKey", &SetDeviceAttributesRequest::node_key>,
                    always<"Update", &SetDeviceAttributesRequest::update>};
}

// POST /machine/audit-log.
struct AuditLogRequest {
  Capability version{};
  NodePublic node_key;
  std::string action, details;
  Time timestamp;
  friend bool operator==(const AuditLogRequest&, const AuditLogRequest&) = default;
};
constexpr auto fields(const AuditLogRequest*) {
  return std::tuple{
      Field<"Version", &AuditLogRequest::version>{}, Field<"NodeKey", &AuditLogRequest::node_key>{},
      Field<"Action", &AuditLogRequest::action>{}, Field<"Details", &AuditLogRequest::details>{},
      Field<"Timestamp", &AuditLogRequest::timestamp>{}};
}

// POST /verify, from relays.
struct DERPAdmitClientRequest {
  NodePublic node_public;
  IpAddress source;
  friend bool operator==(const DERPAdmitClientRequest&, const DERPAdmitClientRequest&) = default;
};
constexpr auto fields(const DERPAdmitClientRequest*) {
  return std::tuple{always<"NodePublic", &DERPAdmitClientRequest::node_public>,
                    always<"Source", &DERPAdmitClientRequest::source>};
}

struct DERPAdmitClientResponse {
  bool allow = false;
  friend bool operator==(const DERPAdmitClientResponse&, const DERPAdmitClientResponse&) = default;
};
constexpr auto fields(const DERPAdmitClientResponse*) {
  return std::tuple{always<"Allow", &DERPAdmitClientResponse::allow>};
}

}  // namespace ts2021

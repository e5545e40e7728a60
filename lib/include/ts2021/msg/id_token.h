// SPDX-License-Identifier: BSD-3-Clause
// Identity tokens: what a JSON web token says, and the two documents by which anybody can check it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/id.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

struct TokenHeader {
  std::string algorithm, key_id, type;
  friend bool operator==(const TokenHeader&, const TokenHeader&) = default;
};
constexpr auto fields(const TokenHeader*) {
  return std::tuple{always<"alg", &TokenHeader::algorithm>, always<"kid", &TokenHeader::key_id>,
                    always<"typ", &TokenHeader::type>};
}

// Times are seconds since 1970.
struct TokenClaims {
  std::string issuer;    // URL of the server
  std::string subject;   // the node's full name
  std::string audience;  // as asked for
  std::int64_t expires = 0, issued = 0, not_before = 0;
  std::string id;  // of this token
  NodePublic key;
  std::vector<IpPrefix> addresses;
  NodeId node_id{};
  std::string node;    // its full name
  std::string domain;  // the tailnet
  std::vector<std::string> tags;
  std::string user;  // of a node without tags: the login name
  UserId user_id{};
  friend bool operator==(const TokenClaims&, const TokenClaims&) = default;
};
constexpr auto fields(const TokenClaims*) {
  return std::tuple{always<"iss", &TokenClaims::issuer>,
                    always<"sub", &TokenClaims::subject>,
                    always<"aud", &TokenClaims::audience>,
                    always<"exp", &TokenClaims::expires>,
                    always<"iat", &TokenClaims::issued>,
                    always<"nbf", &TokenClaims::not_before>,
                    always<"jti", &TokenClaims::id>,
                    always<"key", &TokenClaims::key>,
                    always<"addresses", &TokenClaims::addresses>,
                    always<"nid", &TokenClaims::node_id>,
                    always<"node", &TokenClaims::node>,
                    always<"domain", &TokenClaims::domain>,
                    Field<"tags", &TokenClaims::tags>{},
                    Field<"user", &TokenClaims::user>{},
                    Field<"uid", &TokenClaims::user_id>{}};
}

// One public key of P-256; numbers are base64 in its URL form.
struct WebKey {
  std::string key_type, curve, x, y, use, algorithm, id;
  friend bool operator==(const WebKey&, const WebKey&) = default;
};
constexpr auto fields(const WebKey*) {
  return std::tuple{always<"kty", &WebKey::key_type>, always<"crv", &WebKey::curve>,
                    always<"x", &WebKey::x>,          always<"y", &WebKey::y>,
                    always<"use", &WebKey::use>,      always<"alg", &WebKey::algorithm>,
                    always<"kid", &WebKey::id>};
}

struct WebKeySet {
  std::vector<WebKey> keys;
  friend bool operator==(const WebKeySet&, const WebKeySet&) = default;
};
constexpr auto fields(const WebKeySet*) { return std::tuple{always<"keys", &WebKeySet::keys>}; }

// GET /.well-known/openid-configuration: as much of it as a token without a login needs.
struct OpenIdConfiguration {
  std::string issuer, jwks_uri, authorization_endpoint;
  std::vector<std::string> response_types, subject_types, signing_algorithms, scopes, claims;
  friend bool operator==(const OpenIdConfiguration&, const OpenIdConfiguration&) = default;
};
constexpr auto fields(const OpenIdConfiguration*) {
  return std::tuple{always<"issuer", &OpenIdConfiguration::issuer>,
                    always<"jwks_uri", &OpenIdConfiguration::jwks_uri>,
                    Field<"authorization_endpoint", &OpenIdConfiguration::authorization_endpoint>{},
                    always<"response_types_supported", &OpenIdConfiguration::response_types>,
                    always<"subject_types_supported", &OpenIdConfiguration::subject_types>,
                    always<"id_token_signing_alg_values_supported", &OpenIdConfiguration::signing_algorithms>,
                    always<"scopes_supported", &OpenIdConfiguration::scopes>,
                    always<"claims_supported", &OpenIdConfiguration::claims>};
}

}  // namespace ts2021

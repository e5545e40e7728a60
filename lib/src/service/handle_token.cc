// SPDX-License-Identifier: BSD-3-Clause
// Identity tokens (API-146), and the documents of the outer site by which anybody checks them.
#include <array>
#include <chrono>

#include "crypto/hex.h"
#include "service/handlers.h"
#include "service/token_key.h"
#include "ts2021/coord/address.h"

namespace ts2021::service {
namespace {

constexpr std::chrono::minutes lifetime{5};
constexpr std::size_t max_audience = 1024;

std::int64_t seconds(WallTime at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

bool has_tokens(const ServiceConfig& config) { return config.token_key && !config.url.empty(); }

void issue(Exchange& exchange, const answer::Identity& who, const TokenRequest& request) {
  const NodeRecord& node = *who.node;
  if (node.key_expiry && *node.key_expiry <= exchange.now.wall)
    return exchange.reply_text(403, "the node key has expired");
  std::array<std::uint8_t, 16> raw{};
  exchange.entropy.fill(raw);
  TokenClaims claims;
  claims.id.resize(2 * raw.size());
  crypto::encode_hex(raw, claims.id);
  claims.issuer = exchange.config.url;
  claims.subject = claims.node = who.name;
  claims.audience = request.audience;
  claims.issued = claims.not_before = seconds(exchange.now.wall);
  claims.expires = seconds(exchange.now.wall + lifetime);
  claims.key = node.key;
  claims.addresses = {IpPrefix::host(IpAddress::v4(node.v4.value)),
                      IpPrefix::host(IpAddress::v6(mapped_v6(node.v4)))};
  claims.node_id = node.id;
  claims.domain = who.tailnet;
  claims.tags = node.tags;
  if (node.tags.empty()) {
    claims.user = who.user.login_name;
    claims.user_id = node.user;
  }
  auto token = signed_token(*exchange.config.token_key, claims);
  if (!token) return exchange.reply_text(500, "the token could not be signed");
  exchange.reply_json(TokenResponse{*std::move(token)});
}

}  // namespace

void on_id_token(Call& call, std::shared_ptr<const TokenRequest> request) {
  if (!has_tokens(call.config)) return call.reply_text(501, "this server signs no tokens");
  if (request->audience.empty() || request->audience.size() > max_audience)
    return call.reply_text(400, "a token needs an audience");
  const question::Identify who{request->node_key};
  call.ask<&issue>(who, std::move(request));
}

void on_key_set(Call& call) {
  if (!has_tokens(call.config)) return call.reply_text(404, "not found");
  call.reply_json(key_set(*call.config.token_key));
}

void on_openid_configuration(Call& call) {
  if (!has_tokens(call.config)) return call.reply_text(404, "not found");
  OpenIdConfiguration out;
  out.issuer = call.config.url;
  out.jwks_uri = call.config.url + "/.well-known/jwks.json";
  out.response_types = {"id_token"};
  out.subject_types = {"public"};
  out.signing_algorithms = {"ES256"};
  out.scopes = {"openid"};
  out.claims = {"iss",       "sub", "aud",  "exp",    "iat",  "nbf",  "jti", "key",
                "addresses", "nid", "node", "domain", "tags", "user", "uid"};
  call.reply_json(out);
}

}  // namespace ts2021::service

// SPDX-License-Identifier: BSD-3-Clause
// POST /machine/register.
#pragma once

#include <optional>
#include <string>

#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/hostinfo.h"
#include "ts2021/msg/primitives.h"
#include "ts2021/msg/user.h"

namespace ts2021 {

struct Oauth2Token {
  std::string access_token, token_type, refresh_token;
  Time expiry;
  friend bool operator==(const Oauth2Token&, const Oauth2Token&) = default;
};
constexpr auto fields(const Oauth2Token*) {
  return std::tuple{
      always<"access_token", &Oauth2Token::access_token>, Field<"token_type", &Oauth2Token::token_type>{},
      Field<"refresh_token", &Oauth2Token::refresh_token>{}, always<"expiry", &Oauth2Token::expiry>};
}

struct RegisterAuth {
  std::string provider, login_name;  // echo of the last Login, up to 1.64
  std::optional<Oauth2Token> oauth2_token;
  std::string auth_key;
  friend bool operator==(const RegisterAuth&, const RegisterAuth&) = default;
};
constexpr auto fields(const RegisterAuth*) {
  return std::tuple{
      Field<"Provider", &RegisterAuth::provider>{}, Field<"LoginName", &RegisterAuth::login_name>{},
      Field<"Oauth2Token", &RegisterAuth::oauth2_token>{}, Field<"AuthKey", &RegisterAuth::auth_key>{}};
}

struct RegisterRequest {
  Capability version{};  // 0: malformed; 1 on TS2019
  NodePublic node_key;
  NodePublic old_node_key;  // stays set on later refreshes
  TailnetLockPublic nl_key;
  std::optional<RegisterAuth> auth;
  Time expiry;           // in the past: log out
  std::string followup;  // an AuthURL of an earlier answer
  std::optional<Hostinfo> hostinfo;
  bool ephemeral = false;
  Blob node_key_signature;
  std::string signature_type;  // "signature-v1", "signature-v2"
  Time timestamp;
  Blob device_cert, signature;
  std::string tailnet;  // recommended; "required:<name>" is mandatory
  friend bool operator==(const RegisterRequest&, const RegisterRequest&) = default;
};
constexpr auto fields(const RegisterRequest*) {
  return std::tuple{always<"Version", &RegisterRequest::version>,
                    always<"NodeKey", &RegisterRequest::node_key>,
                    always<"OldNodeKey", &RegisterRequest::old_node_key>,
                    always<"NLKey", &RegisterRequest::nl_key>,
                    Field<"Auth", &RegisterRequest::auth>{},
                    always<"Expiry", &RegisterRequest::expiry>,
                    always<"Followup", &RegisterRequest::followup>,
                    Field<"Hostinfo", &RegisterRequest::hostinfo>{},
                    Field<"Ephemeral", &RegisterRequest::ephemeral>{},
                    Field<"NodeKeySignature", &RegisterRequest::node_key_signature>{},
                    Field<"SignatureType", &RegisterRequest::signature_type>{},
                    Field<"Timestamp", &RegisterRequest::timestamp>{},
                    Field<"DeviceCert", &RegisterRequest::device_cert>{},
                    Field<"Signature", &RegisterRequest::signature>{},
                    Field<"Tailnet", &RegisterRequest::tailnet>{}};
}

// Always written whole. encode() writes MachineAuthorized false beside an Error or AuthURL: Rust looks at
// nothing else.
struct RegisterResponse {
  User user;
  Login login;
  bool node_key_expired = false;
  bool machine_authorized = false;
  std::string auth_url;
  Blob node_key_signature;  // non-empty: sign this for the new key and register again
  std::string error;        // non-empty: failure, shown to the user
  friend bool operator==(const RegisterResponse&, const RegisterResponse&) = default;
};
constexpr auto fields(const RegisterResponse*) {
  return std::tuple{always<"User", &RegisterResponse::user>,
                    always<"Login", &RegisterResponse::login>,
                    always<"NodeKeyExpired", &RegisterResponse::node_key_expired>,
                    always<"MachineAuthorized", &RegisterResponse::machine_authorized>,
                    always_plain<"AuthURL", &RegisterResponse::auth_url>,
                    Field<"NodeKeySignature", &RegisterResponse::node_key_signature>{
                        .since = Capability::register_signatures},
                    always<"Error", &RegisterResponse::error>};
}

}  // namespace ts2021

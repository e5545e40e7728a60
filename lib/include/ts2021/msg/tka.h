// SPDX-License-Identifier: BSD-3-Clause
// Tailnet lock: the bodies under /machine/tka/. AUMs and signatures are opaque here; heads are text.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/id.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

// init/begin: the answer names all nodes whose keys must be signed.
struct TKAInitBeginRequest {
  Capability version{};
  NodePublic node_key;
  Blob genesis_aum;
  friend bool operator==(const TKAInitBeginRequest&, const TKAInitBeginRequest&) = default;
};
constexpr auto fields(const TKAInitBeginRequest*) {
  return std::tuple{always<"Version", &TKAInitBeginRequest::version>,
                    always<"NodeKey", &TKAInitBeginRequest::node_key>,
                    always<"GenesisAUM", &TKAInitBeginRequest::genesis_aum>};
}

struct TKASignInfo {
  NodeId node_id{};
  NodePublic node_public;
  Blob rotation_pubkey;
  friend bool operator==(const TKASignInfo&, const TKASignInfo&) = default;
};
constexpr auto fields(const TKASignInfo*) {
  return std::tuple{always<"NodeID", &TKASignInfo::node_id>, always<"NodePublic", &TKASignInfo::node_public>,
                    Field<"RotationPubkey", &TKASignInfo::rotation_pubkey>{}};
}

struct TKAInitBeginResponse {
  std::vector<TKASignInfo> need_signatures;
  friend bool operator==(const TKAInitBeginResponse&, const TKAInitBeginResponse&) = default;
};
constexpr auto fields(const TKAInitBeginResponse*) {
  return std::tuple{always<"NeedSignatures", &TKAInitBeginResponse::need_signatures>};
}

// init/finish: answered with an empty object.
struct TKAInitFinishRequest {
  Capability version{};
  NodePublic node_key;
  std::map<NodeId, Blob> signatures;
  Blob support_disablement;
  friend bool operator==(const TKAInitFinishRequest&, const TKAInitFinishRequest&) = default;
};
constexpr auto fields(const TKAInitFinishRequest*) {
  return std::tuple{always<"Version", &TKAInitFinishRequest::version>,
                    always<"NodeKey", &TKAInitFinishRequest::node_key>,
                    always<"Signatures", &TKAInitFinishRequest::signatures>,
                    Field<"SupportDisablement", &TKAInitFinishRequest::support_disablement>{}};
}

// bootstrap: the genesis when the lock is on, the secret when it is off.
struct TKABootstrapRequest {
  Capability version{};
  NodePublic node_key;
  std::string head;
  friend bool operator==(const TKABootstrapRequest&, const TKABootstrapRequest&) = default;
};
constexpr auto fields(const TKABootstrapRequest*) {
  return std::tuple{always<"Version", &TKABootstrapRequest::version>,
                    always<"NodeKey", &TKABootstrapRequest::node_key>,
                    always<"Head", &TKABootstrapRequest::head>};
}

struct TKABootstrapResponse {
  Blob genesis_aum;
  Blob disablement_secret;
  friend bool operator==(const TKABootstrapResponse&, const TKABootstrapResponse&) = default;
};
constexpr auto fields(const TKABootstrapResponse*) {
  return std::tuple{Field<"GenesisAUM", &TKABootstrapResponse::genesis_aum>{},
                    Field<"DisablementSecret", &TKABootstrapResponse::disablement_secret>{}};
}

// sync/offer: what the node has; the answer tells what we have and what it lacks.
struct TKASyncOfferRequest {
  Capability version{};
  NodePublic node_key;
  std::string head;
  std::vector<std::string> ancestors;
  friend bool operator==(const TKASyncOfferRequest&, const TKASyncOfferRequest&) = default;
};
constexpr auto fields(const TKASyncOfferRequest*) {
  return std::tuple{
      always<"Version", &TKASyncOfferRequest::version>, always<"NodeKey", &TKASyncOfferRequest::node_key>,
      always<"Head", &TKASyncOfferRequest::head>, always<"Ancestors", &TKASyncOfferRequest::ancestors>};
}

struct TKASyncOfferResponse {
  std::string head;
  std::vector<std::string> ancestors;
  std::vector<Blob> missing_aums;
  friend bool operator==(const TKASyncOfferResponse&, const TKASyncOfferResponse&) = default;
};
constexpr auto fields(const TKASyncOfferResponse*) {
  return std::tuple{always<"Head", &TKASyncOfferResponse::head>,
                    always<"Ancestors", &TKASyncOfferResponse::ancestors>,
                    always<"MissingAUMs", &TKASyncOfferResponse::missing_aums>};
}

// sync/send: what we lacked.
struct TKASyncSendRequest {
  Capability version{};
  NodePublic node_key;
  std::string head;
  std::vector<Blob> missing_aums;
  bool interactive = false;
  friend bool operator==(const TKASyncSendRequest&, const TKASyncSendRequest&) = default;
};
constexpr auto fields(const TKASyncSendRequest*) {
  return std::tuple{
      always<"Version", &TKASyncSendRequest::version>, always<"NodeKey", &TKASyncSendRequest::node_key>,
      always<"Head", &TKASyncSendRequest::head>, always<"MissingAUMs", &TKASyncSendRequest::missing_aums>,
      always<"Interactive", &TKASyncSendRequest::interactive>};
}

struct TKASyncSendResponse {
  std::string head;
  friend bool operator==(const TKASyncSendResponse&, const TKASyncSendResponse&) = default;
};
constexpr auto fields(const TKASyncSendResponse*) {
  return std::tuple{always<"Head", &TKASyncSendResponse::head>};
}

// disable: answered with an empty object.
struct TKADisableRequest {
  Capability version{};
  NodePublic node_key;
  std::string head;
  Blob disablement_secret;
  friend bool operator==(const TKADisableRequest&, const TKADisableRequest&) = default;
};
constexpr auto fields(const TKADisableRequest*) {
  return std::tuple{always<"Version", &TKADisableRequest::version>,
                    always<"NodeKey", &TKADisableRequest::node_key>, always<"Head", &TKADisableRequest::head>,
                    always<"DisablementSecret", &TKADisableRequest::disablement_secret>};
}

// sign: answered with an empty object.
struct TKASubmitSignatureRequest {
  Capability version{};
  NodePublic node_key;
  Blob signature;
  friend bool operator==(const TKASubmitSignatureRequest&, const TKASubmitSignatureRequest&) = default;
};
constexpr auto fields(const TKASubmitSignatureRequest*) {
  return std::tuple{always<"Version", &TKASubmitSignatureRequest::version>,
                    always<"NodeKey", &TKASubmitSignatureRequest::node_key>,
                    always<"Signature", &TKASubmitSignatureRequest::signature>};
}

// affected-sigs: the node-key signatures that a key made.
struct TKASignaturesUsingKeyRequest {
  Capability version{};
  NodePublic node_key;
  Blob key_id;
  friend bool operator==(const TKASignaturesUsingKeyRequest&, const TKASignaturesUsingKeyRequest&) = default;
};
constexpr auto fields(const TKASignaturesUsingKeyRequest*) {
  return std::tuple{always<"Version", &TKASignaturesUsingKeyRequest::version>,
                    always<"NodeKey", &TKASignaturesUsingKeyRequest::node_key>,
                    always<"KeyID", &TKASignaturesUsingKeyRequest::key_id>};
}

struct TKASignaturesUsingKeyResponse {
  std::vector<Blob> signatures;
  friend bool operator==(const TKASignaturesUsingKeyResponse&,
                         const TKASignaturesUsingKeyResponse&) = default;
};
constexpr auto fields(const TKASignaturesUsingKeyResponse*) {
  return std::tuple{always<"Signatures", &TKASignaturesUsingKeyResponse::signatures>};
}

}  // namespace ts2021

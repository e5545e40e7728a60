// SPDX-License-Identifier: BSD-3-Clause
// What endpoints ask the coordinator beside register and map requests, and what it answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "ts2021/coord/id.h"
#include "ts2021/coord/record.h"
#include "ts2021/key/key.h"
#include "ts2021/msg/endpoint.h"
#include "ts2021/msg/ssh.h"
#include "ts2021/msg/tka.h"

namespace ts2021 {

struct AuditLogRequest;             // msg/endpoint.h
struct DERPMap;                     // msg/derp.h
struct QueryFeatureRequest;         // msg/endpoint.h
struct SetDeviceAttributesRequest;  // msg/endpoint.h
struct SetDNSRequest;               // msg/endpoint.h

// Where a question names a node, it must be one of the machine that asks: else Refused 404.
namespace question {
// Who acts: the node of this key. Identity.
struct Identify {
  NodePublic node_key;
};
// What waits for a person under this id: a login, an SSH session, a web client. Pending; Refused 404.
struct FindPending {
  std::string id;
};
// What the person says. A login: as this user, who is made if new. The others: this user must be the owner of
// the node that wants in, else Refused 403 and it goes on waiting. Done; Refused 404.
struct DecidePending {
  std::string id;
  std::string login_name;  // empty: no, and `refusal` counts
  std::string refusal;     // what the waiting node is told
};
// Whether a relay lets this key in. Admission.
struct AdmitToRelay {
  NodePublic node_key;
};
// Relays.
struct FindRelays {};
// A TXT record that proves the node's own name to a certificate authority. Done; Refused 400, 403, 501.
struct SetDns {
  std::shared_ptr<const SetDNSRequest> request;
};
// Merges posture attributes into the node's; null deletes. Done; Refused 400.
struct SetAttributes {
  std::shared_ptr<const SetDeviceAttributesRequest> request;
};
// What a node wants to have on record. Done.
struct Audit {
  std::shared_ptr<const AuditLogRequest> request;
};
// Done: the node has the feature. Refused 404.
struct QueryFeature {
  std::shared_ptr<const QueryFeatureRequest> request;
};
// SSH check mode: `dst`, a node of the machine that asks, holds a session of `src`. Verdict; with an
// `auth_id` the answer is held until the person has decided.
struct AuthorizeSsh {
  NodeId src{}, dst{};
  std::string ssh_user, local_user;
  std::string auth_id;  // of an earlier answer; empty: the first time
};
// Recording of SSH sessions failed, or one was refused or ended for it. Done.
struct ReportSsh {
  std::shared_ptr<const SSHEventNotifyRequest> request;
};
// `src` wants to manage `dst`, a node of the machine that asks, in its browser. Visit.
struct BeginWebClient {
  NodeId src{}, dst{};
};
// Held until the person has decided. Done; Refused 403, 404.
struct AwaitWebClient {
  NodeId src{}, dst{};
  std::string id;
};
// A node answers what it was told to do by Ping or CallNode. Done; Refused 404.
struct Deliver {
  std::string token;
  std::string body;
};
// A call of the tailnet lock by the node that it names. LockReply; Refused 400 malformed or wrongly signed,
// 403 not trusted, 409 not as things stand, 429 too often, 501 switched off.
struct Lock {
  std::variant<std::shared_ptr<const TKAInitBeginRequest>, std::shared_ptr<const TKAInitFinishRequest>,
               std::shared_ptr<const TKABootstrapRequest>, std::shared_ptr<const TKASyncOfferRequest>,
               std::shared_ptr<const TKASyncSendRequest>, std::shared_ptr<const TKASubmitSignatureRequest>,
               std::shared_ptr<const TKADisableRequest>, std::shared_ptr<const TKASignaturesUsingKeyRequest>>
      request;
};
}  // namespace question
using Question =
    std::variant<question::Identify, question::FindPending, question::DecidePending, question::AdmitToRelay,
                 question::FindRelays, question::SetDns, question::SetAttributes, question::Audit,
                 question::QueryFeature, question::AuthorizeSsh, question::ReportSsh,
                 question::BeginWebClient, question::AwaitWebClient, question::Deliver, question::Lock>;

enum class PendingKind : std::uint8_t { login, ssh, web_client };

namespace answer {
struct Done {};
struct Identity {
  RecordPtr holder;  // keeps `node` alive
  const NodeRecord* node = nullptr;
  UserRecord user;        // zero id: not known
  std::string name;       // Node.Name, without the trailing dot
  std::string tailnet{};  // as users know it
};
// What a person should see before deciding.
struct Pending {
  std::string id;
  PendingKind kind{};
  std::string hostname, os;  // as the node reports them: hostile text
  NodePublic node_key;
  MachinePublic machine;
  std::string target;  // ssh: "user on host", web_client: the host; else empty
};
struct Admission {
  bool allow = false;
};
struct Relays {
  std::shared_ptr<const DERPMap> derp_map;  // null: none
};
struct Verdict {
  SSHAction action;
};
// Where the person goes, and the name under which to wait.
struct Visit {
  std::string id;
  std::string url;
};
struct LockReply {
  std::variant<EmptyResponse, TKAInitBeginResponse, TKABootstrapResponse, TKASyncOfferResponse,
               TKASyncSendResponse, TKASignaturesUsingKeyResponse>
      message;
};
}  // namespace answer
using AnswerValue = std::variant<answer::Done, answer::Identity, answer::Pending, answer::Admission,
                                 answer::Relays, answer::Verdict, answer::Visit, answer::LockReply>;

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// Who may log in by SSH on a node.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/id.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

struct SSHPrincipal {
  std::string node;  // StableID
  std::string node_ip, user_login;
  bool any = false;
  RawJson extra{};
  friend bool operator==(const SSHPrincipal&, const SSHPrincipal&) = default;
};
constexpr auto fields(const SSHPrincipal*) {
  return std::tuple{Field<"node", &SSHPrincipal::node>{}, Field<"nodeIP", &SSHPrincipal::node_ip>{},
                    Field<"userLogin", &SSHPrincipal::user_login>{}, Field<"any", &SSHPrincipal::any>{}};
}

struct SSHRecorderFailureAction {
  std::string reject_session_with_message, terminate_session_with_message, notify_url;
  RawJson extra{};
  friend bool operator==(const SSHRecorderFailureAction&, const SSHRecorderFailureAction&) = default;
};
constexpr auto fields(const SSHRecorderFailureAction*) {
  return std::tuple{
      Field<"RejectSessionWithMessage", &SSHRecorderFailureAction::reject_session_with_message>{},
      Field<"TerminateSessionWithMessage", &SSHRecorderFailureAction::terminate_session_with_message>{},
      Field<"NotifyURL", &SSHRecorderFailureAction::notify_url>{}};
}

// Also the answer of /machine/ssh/action. An empty one denies.
struct SSHAction {
  std::string message;
  bool reject = false, accept = false;
  std::int64_t session_duration = 0;  // nanoseconds; 0: no limit
  bool allow_agent_forwarding = false;
  std::string hold_and_delegate;  // URL
  bool allow_local_port_forwarding = false, allow_remote_port_forwarding = false;
  std::vector<IpPort> recorders;
  std::optional<SSHRecorderFailureAction> on_recording_failure;
  RawJson extra{};
  friend bool operator==(const SSHAction&, const SSHAction&) = default;
};
constexpr auto fields(const SSHAction*) {
  return std::tuple{Field<"message", &SSHAction::message>{},
                    Field<"reject", &SSHAction::reject>{},
                    Field<"accept", &SSHAction::accept>{},
                    Field<"sessionDuration", &SSHAction::session_duration>{},
                    Field<"allowAgentForwarding", &SSHAction::allow_agent_forwarding>{},
                    Field<"holdAndDelegate", &SSHAction::hold_and_delegate>{},
                    Field<"allowLocalPortForwarding", &SSHAction::allow_local_port_forwarding>{},
                    Field<"allowRemotePortForwarding", &SSHAction::allow_remote_port_forwarding>{
                        .since = Capability::ssh_remote_forwarding},
                    Field<"recorders", &SSHAction::recorders>{},
                    Field<"onRecordingFailure", &SSHAction::on_recording_failure>{}};
}

struct SSHRule {
  Time rule_expires;
  std::vector<SSHPrincipal> principals;          // one match suffices
  std::map<std::string, std::string> ssh_users;  // requested user or "*" → local user, "=" or ""
  SSHAction action;
  std::vector<std::string> accept_env;
  RawJson extra{};
  friend bool operator==(const SSHRule&, const SSHRule&) = default;
};
constexpr auto fields(const SSHRule*) {
  return std::tuple{Field<"ruleExpires", &SSHRule::rule_expires>{},
                    always<"principals", &SSHRule::principals>, always<"sshUsers", &SSHRule::ssh_users>,
                    always<"action", &SSHRule::action>, Field<"acceptEnv", &SSHRule::accept_env>{}};
}

struct SSHPolicy {
  std::vector<SSHRule> rules;  // the first match decides; none: nobody
  RawJson extra{};
  friend bool operator==(const SSHPolicy&, const SSHPolicy&) = default;
};
constexpr auto fields(const SSHPolicy*) { return std::tuple{always<"rules", &SSHPolicy::rules>}; }

struct SSHRecordingAttempt {
  std::string recorder;
  std::string failure_message;
  friend bool operator==(const SSHRecordingAttempt&, const SSHRecordingAttempt&) = default;
};
constexpr auto fields(const SSHRecordingAttempt*) {
  return std::tuple{always<"Recorder", &SSHRecordingAttempt::recorder>,
                    always<"FailureMessage", &SSHRecordingAttempt::failure_message>};
}

// Posted to NotifyURL. `event_type`: 1 rejected, 2 terminated, 3 recording failed.
struct SSHEventNotifyRequest {
  int event_type = 0;
  std::string connection_id;
  Capability cap_version{};
  NodePublic node_key;
  NodeId src_node{};
  std::string ssh_user;
  std::string local_user;
  std::vector<SSHRecordingAttempt> recording_attempts;
  friend bool operator==(const SSHEventNotifyRequest&, const SSHEventNotifyRequest&) = default;
};
constexpr auto fields(const SSHEventNotifyRequest*) {
  return std::tuple{always<"EventType", &SSHEventNotifyRequest::event_type>,
                    always<"ConnectionID", &SSHEventNotifyRequest::connection_id>,
                    always<"CapVersion", &SSHEventNotifyRequest::cap_version>,
                    always<"NodeKey", &SSHEventNotifyRequest::node_key>,
                    always<"SrcNode", &SSHEventNotifyRequest::src_node>,
                    always<"SSHUser", &SSHEventNotifyRequest::ssh_user>,
                    always<"LocalUser", &SSHEventNotifyRequest::local_user>,
                    always<"RecordingAttempts", &SSHEventNotifyRequest::recording_attempts>};
}

}  // namespace ts2021

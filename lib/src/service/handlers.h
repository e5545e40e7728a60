// SPDX-License-Identifier: BSD-3-Clause
// The handlers that endpoints.cc names, by file.
#pragma once

#include <memory>

#include "service/call.h"
#include "ts2021/msg/endpoint.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/ping.h"
#include "ts2021/msg/register.h"
#include "ts2021/msg/ssh.h"
#include "ts2021/msg/tka.h"

namespace ts2021::service {

// handle_site.cc
void on_key(Call& call);
void on_health(Call& call);
void on_generate_204(Call& call);
void on_bootstrap_dns(Call& call);
void on_verify(Call& call, std::shared_ptr<const DERPAdmitClientRequest> request);
void on_derp_map(Call& call);

// handle_page.cc
void on_decision_page(Call& call);
void on_decision(Call& call);
void on_admin_page(Call& call);

// handle_node.cc
void on_register(Call& call, std::shared_ptr<const RegisterRequest> request);
void on_map(Call& call, std::shared_ptr<const MapRequest> request);

// handle_lock.cc: for each request of the tailnet lock
template <class Request>
void on_lock(Call& call, std::shared_ptr<const Request> request);

// handle_report.cc
void on_update_health(Call& call, std::shared_ptr<const HealthChangeRequest> request);
void on_whoami(Call& call);
void on_set_dns(Call& call, std::shared_ptr<const SetDNSRequest> request);
void on_set_device_attributes(Call& call, std::shared_ptr<const SetDeviceAttributesRequest> request);
void on_audit_log(Call& call, std::shared_ptr<const AuditLogRequest> request);
void on_query_feature(Call& call, std::shared_ptr<const QueryFeatureRequest> request);
void on_ssh_event(Call& call, std::shared_ptr<const SSHEventNotifyRequest> request);

// handle_approval.cc
void on_ssh_action(Call& call);
void on_web_client_init(Call& call);
void on_web_client_wait(Call& call);

// handle_callback.cc
void on_call_answer(Call& call);
void on_ping_answer(Call& call, std::shared_ptr<const PingResponse> response);
void on_ping_seen(Call& call);

// handle_token.cc
void on_id_token(Call& call, std::shared_ptr<const TokenRequest> request);
void on_key_set(Call& call);
void on_openid_configuration(Call& call);

}  // namespace ts2021::service

// SPDX-License-Identifier: BSD-3-Clause
// What nodes report and ask about themselves.
#include "service/handlers.h"

namespace ts2021::service {
namespace {

void empty_object(Exchange& exchange, const answer::Done&) { exchange.reply_json(EmptyResponse{}); }
void created(Exchange& exchange, const answer::Done&) { exchange.reply(201, {}, {}); }
void feature_is_on(Exchange& exchange, const answer::Done&) {
  QueryFeatureResponse response;
  response.complete = true;
  exchange.reply_json(response);
}

}  // namespace

// They come in bursts and say what maps say better: swallowed, and nobody is asked.
void on_update_health(Call& call, std::shared_ptr<const HealthChangeRequest>) { call.reply(204, {}, {}); }

void on_whoami(Call& call) {
  call.reply_text(200, "machine " + call.session.machine.text() + "\nversion " +
                           std::to_string(static_cast<unsigned>(call.session.version)));
}

void on_set_dns(Call& call, std::shared_ptr<const SetDNSRequest> request) {
  call.ask<&empty_object>(question::SetDns{std::move(request)});
}

void on_set_device_attributes(Call& call, std::shared_ptr<const SetDeviceAttributesRequest> request) {
  call.ask<&empty_object>(question::SetAttributes{std::move(request)});
}

void on_audit_log(Call& call, std::shared_ptr<const AuditLogRequest> request) {
  call.ask<&empty_object>(question::Audit{std::move(request)});
}

void on_query_feature(Call& call, std::shared_ptr<const QueryFeatureRequest> request) {
  call.ask<&feature_is_on>(question::QueryFeature{std::move(request)});
}

void on_ssh_event(Call& call, std::shared_ptr<const SSHEventNotifyRequest> request) {
  call.ask<&created>(question::ReportSsh{std::move(request)});
}

}  // namespace ts2021::service

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/registering.h"

#include <utility>

#include "coord/node_view.h"
#include "coord/tags.h"

namespace ts2021::coord {

void answer(Plan& plan, const Registrar::Call& call, RegisterResponse reply) {
  plan.events.push_back(coord_event::RegisterReply{
      call.from.session, call.from.call, std::make_shared<const RegisterResponse>(std::move(reply))});
}

Plan refused(const Registrar::Call& call, const Refusal& refusal) {
  Plan plan;
  plan.events.push_back(notice(NoticeKind::refused, call.machine, refusal.text));
  plan.events.push_back(coord_event::Refused{call.from.session, call.from.call, refusal.status, refusal.text,
                                             refusal.retry_after});
  return plan;
}

Plan failed(const Registrar::Call& call, std::string_view why, std::string text) {
  Plan plan;
  plan.events.push_back(notice(NoticeKind::refused, call.machine, why));
  RegisterResponse reply;
  reply.error = text.empty() ? std::string(why) : std::move(text);
  answer(plan, call, std::move(reply));
  return plan;
}

void earlier(std::optional<WallTime>& expiry, Time wanted, WallTime now) {  // API-49
  if (wanted.is_zero() || wanted.at <= now) return;
  if (!expiry || wanted.at < *expiry) expiry = wanted.at;
}

std::string_view auth_key_of(const RegisterRequest& request) {
  return request.auth ? std::string_view(request.auth->auth_key) : std::string_view();
}

std::vector<std::string> wanted_tags(const RegisterRequest& request) {
  return request.hostinfo ? tag_set(request.hostinfo->request_tags) : std::vector<std::string>();
}

RegisterResponse success(const NodeRecord& record, const UserRecord& person) {  // API-52
  UserRecord user = person;
  if (user.id = shown_owner(record); user.id == tagged_devices) {
    user.login_name = tagged_devices_login;
    user.display_name = "Tagged Devices";
    user.provider.clear();
  }
  RegisterResponse reply;
  reply.machine_authorized = record.authorized;
  reply.user.id = user.id;
  reply.user.display_name = user.display_name;
  reply.user.created = user.created;
  reply.login.id = LoginId{static_cast<std::uint64_t>(user.id)};
  reply.login.provider = user.provider;
  reply.login.login_name = user.login_name;
  reply.login.display_name = user.display_name;
  return reply;
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/test_registrar.h"

#include <utility>

#include "coord/preparation.h"
#include "coord/registering.h"
#include "coord/tags.h"
#include "coord/test_identity.h"

namespace ts2021::coord {

using test_registration::Facts;
using test_registration::Outcome;

Facts TestRegistrar::facts(const Registrar::Call& call) const {
  using namespace test_registration;
  const RegisterRequest& request = call.request;
  const Rules& rules = config_.rules;
  Facts out;
  out.form = request.version == Capability{} || request.node_key.is_zero() ? Form::malformed : Form::good;
  const std::string_view secret = auth_key_of(request);
  if (!rules.require_auth_key.empty() && secret != rules.require_auth_key)  // TEST-6
    out.auth_key = AuthKey::wrong;
  else if (!secret.empty())
    out.auth_key = AuthKey::given;
  const NodeState* known = tailnet_.find(request.node_key);
  if (known)
    out.holder = known->record->machine != call.machine ? Holder::stranger
                 : known->expired                       ? Holder::expired
                                                        : Holder::live;
  if (!request.expiry.is_zero()) out.wish = request.expiry.at <= call.now.wall ? Wish::out : Wish::shorten;
  if (rules.expire_all) out.keys = Keys::all_expired;
  if (!request.followup.empty()) {
    switch (logins_.state(test_login_id(request.followup))) {  // TEST-7
      case TestLogins::State::none:
      case TestLogins::State::done:
        out.followup = Followup::passed;
        break;
      case TestLogins::State::open:
        out.followup = Followup::waits;
        break;
      case TestLogins::State::failed:
        out.followup = Followup::failed;
        break;
    }
  }
  const NodeState* old = request.old_node_key.is_zero() ? nullptr : tailnet_.find(request.old_node_key);
  if (!call.to_sign.empty())
    out.old_key = OldKey::locked;
  else if (old && old->record->machine == call.machine)
    out.old_key = OldKey::known;
  const bool logged_in = logins_.is_completed(request.node_key) && !(known && known->expired);
  if (rules.require_auth && !logged_in) out.login = Login::needed;  // TEST-8
  if (rules.login_url.empty()) out.door = Door::closed;
  return out;
}

Plan TestRegistrar::plan(const Registrar::Call& call) {
  const test_registration::Row& row = test_registration::row_for(facts(call));
  const RegisterRequest& request = call.request;
  const NodeState* known = tailnet_.find(request.node_key);
  Plan plan;
  RegisterResponse reply;
  switch (row.outcome) {
    case Outcome::malformed:
      return refused(call, {400, row.text});
    case Outcome::refused:
      return failed(call, row.text);
    case Outcome::log_out:
      return registrar_.log_out(call, *known);
    case Outcome::stay_out:
      if (known) reply = success_of(*known->record);
      reply.machine_authorized = false;
      reply.node_key_expired = true;
      answer(plan, call, std::move(reply));
      return plan;
    case Outcome::hold:
      logins_.hold(test_login_id(request.followup),
                   {call.from, call.machine, std::make_shared<const RegisterRequest>(request)}, plan.events);
      return plan;
    case Outcome::tell_failure:
      return failed(call, "the login has failed", logins_.failure(test_login_id(request.followup)));
    case Outcome::sign_again:
      reply.node_key_signature.bytes.assign(call.to_sign.begin(), call.to_sign.end());
      answer(plan, call, std::move(reply));
      return plan;
    case Outcome::ask:
      return ask(call, known ? *known : *tailnet_.find(request.old_node_key));
    case Outcome::welcome:
      return registrar_.refresh(call, *known);
    case Outcome::renew:
      return move(call, *known);
    case Outcome::move:
      return move(call, *tailnet_.find(request.old_node_key));
    case Outcome::create:
      return create(call, false);
    case Outcome::create_and_ask:
      return create(call, true);
  }
  return plan;
}

std::optional<NodeRecord> TestRegistrar::new_node(Newcomer newcomer, Plan& plan, Reserved& reserved,
                                                  WallTime now) {
  auto record = registrar_.new_record(plan, reserved, now, newcomer.id);
  if (!record) return std::nullopt;
  record->machine = newcomer.machine;
  record->key = newcomer.key;
  const UserId owner{static_cast<std::uint64_t>(record->id)};  // TEST-3: the node's own, of its number
  record->user = config_.rules.all_nodes_same_user ? same_user : owner;
  if (!tailnet_.user(record->user)) plan.writes.push_back(write_of(test_user(record->user, now), Revision{}));
  auto hostinfo = std::make_shared<Hostinfo>(newcomer.hostinfo.value_or(Hostinfo{}));
  if (!newcomer.hostinfo) hostinfo->hostname = "fake-" + std::to_string(static_cast<std::uint64_t>(owner));
  if (config_.test_mode) record->full_name = test_name(hostinfo->hostname, record->id, config_.rules);
  record->hostname = hostinfo->hostname;
  registrar_.name_by_host(*record, reserved);
  record->hostinfo = std::move(hostinfo);
  return record;
}

// TEST-1
Plan TestRegistrar::create(const Registrar::Call& call, bool ask) {
  const RegisterRequest& request = call.request;
  Plan plan;
  auto made = new_node({call.machine, request.node_key, request.hostinfo.value_or(Hostinfo{}), {}}, plan,
                       plan.reserved, call.now.wall);
  if (!made) return plan.needs_ids ? std::move(plan) : refused(call, {503, "no address is free"});
  NodeRecord& record = *made;
  record.authorized = !config_.rules.require_approval;
  record.ephemeral = request.ephemeral;
  record.lock_key = request.nl_key;
  record.key_signature = call.signature;
  if (request.version > Capability{1}) record.capability = request.version;
  record.capabilities = config_.rules.default_capabilities.value_or(test_capabilities());  // TEST-5
  record.requested_tags = wanted_tags(request);
  if (config_.rules.tag_owners)  // TEST-12: whoever comes first is believed
    for (const std::string& tag : record.requested_tags)
      if (is_tag(tag)) record.tags.push_back(tag);
  if (record.tags.empty()) {
    if (config_.key_lifetime) record.key_expiry = call.now.wall + *config_.key_lifetime;
    earlier(record.key_expiry, request.expiry, call.now.wall);
  }
  registrar_.apply_hostinfo(*record.hostinfo, record, plan.reserved, {call.policy, {}, call.now.wall});
  RegisterResponse reply = success_of(record);
  if (ask) add_auth_url(call, plan, reply);  // TEST-9
  plan.events.push_back(notice(NoticeKind::joined, record, "joined"));
  answer(plan, call, std::move(reply));
  plan.writes.push_back(write_of(std::move(record), Revision{}));
  return plan;
}

Plan TestRegistrar::ask(const Registrar::Call& call, const NodeState& node) {
  Plan plan;
  RegisterResponse reply = success_of(*node.record);
  add_auth_url(call, plan, reply);
  answer(plan, call, std::move(reply));
  return plan;
}

// TEST-10: all but the key stays.
Plan TestRegistrar::move(const Registrar::Call& call, const NodeState& node) {
  Plan plan;
  NodeRecord record = *node.record;
  if (record.key != call.request.node_key || !call.signature.empty()) record.key_signature = call.signature;
  record.key = call.request.node_key;
  if (!call.request.nl_key.is_zero()) record.lock_key = call.request.nl_key;
  record.key_expiry.reset();
  if (record.tags.empty()) {
    if (config_.key_lifetime) record.key_expiry = call.now.wall + *config_.key_lifetime;
    earlier(record.key_expiry, call.request.expiry, call.now.wall);
  }
  if (call.request.hostinfo)
    registrar_.apply_hostinfo(*call.request.hostinfo, record, plan.reserved,
                              {call.policy, {}, call.now.wall});
  plan.events.push_back(notice(NoticeKind::joined, record, "logged in again"));
  answer(plan, call, success_of(record));
  plan.writes.push_back(write_of(std::move(record), node.revision));
  return plan;
}

void TestRegistrar::add_auth_url(const Registrar::Call& call, Plan& plan, RegisterResponse& reply) {
  reply.auth_url =
      config_.rules.login_url + "/auth/" + logins_.begin(call.machine, call.request.node_key, plan.events);
  reply.machine_authorized = false;
}

RegisterResponse TestRegistrar::success_of(const NodeRecord& record) const {
  const UserRecord* user = tailnet_.user(record.user);
  return success(record, user ? *user : test_user(record.user, record.created));
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/registrar.h"

#include <algorithm>

#include "coord/preparation.h"
#include "coord/random_text.h"
#include "coord/registering.h"
#include "coord/routes.h"
#include "coord/tags.h"
#include "coord/test_identity.h"

namespace ts2021::coord {

using registration::Facts;
using registration::Outcome;

// By what right a node is in the tailnet.
struct Registrar::Grant {
  UserRecord user;
  std::vector<std::string> tags;  // of the auth key, and those wanted
  bool ephemeral = false;
  bool approved = true;
  std::uint64_t auth_key = 0;
};

Facts Registrar::facts(const Call& call) const {
  using namespace registration;
  const RegisterRequest& request = call.request;
  Facts out;
  out.form = request.version == Capability{} || request.node_key.is_zero() ? Form::malformed : Form::good;
  out.pace = call.wait ? registration::Pace::hasty : registration::Pace::calm;
  if (const NodeState* known = tailnet_.find(request.node_key))
    out.holder = known->record->machine != call.machine ? Holder::stranger
                 : known->expired                       ? Holder::expired
                                                        : Holder::live;
  if (!request.expiry.is_zero()) out.wish = request.expiry.at <= call.now.wall ? Wish::out : Wish::shorten;
  if (config_.rules.expire_all) out.keys = Keys::all_expired;
  if (!request.followup.empty())
    out.followup = logins_.continues(request, call.machine) ? Followup::waits : Followup::lost;
  constexpr std::string_view required = "required:";
  if (request.tailnet.starts_with(required) && request.tailnet.substr(required.size()) != config_.tailnet &&
      request.tailnet.substr(required.size()) != config_.base_domain)
    out.place = Place::elsewhere;
  if (const std::string_view secret = auth_key_of(request); !secret.empty()) {
    const auto* key = tailnet_.auth_key(auth_key_digest(secret));
    const AuthKeyRecord* grant = key ? key->record : nullptr;
    out.auth_key = !grant                                             ? AuthKey::unknown
                   : grant->revoked                                   ? AuthKey::revoked
                   : grant->expiry && *grant->expiry <= call.now.wall ? AuthKey::expired
                   : !grant->reusable && grant->used                  ? AuthKey::spent
                                                                      : AuthKey::good;
    if (grant) {
      const UserRecord* user = tailnet_.user(grant->user);
      if (!may_have(call.policy, user ? user->login_name : "", grant->tags, wanted_tags(request)))
        out.tags = Tags::refused;
    }
  }
  const NodeState* old = request.old_node_key.is_zero() ? nullptr : tailnet_.find(request.old_node_key);
  if (!call.to_sign.empty())
    out.old_key = OldKey::locked;
  else if (old && old->record->machine == call.machine && !old->expired && config_.silent_rotation)
    out.old_key = OldKey::rotates;
  if (config_.rules.login_url.empty()) out.door = Door::closed;
  return out;
}

Plan Registrar::plan(const Call& call) {
  const registration::Row& row = registration::row_for(facts(call));
  const RegisterRequest& request = call.request;
  const NodeState* known = tailnet_.find(request.node_key);
  Plan plan;
  RegisterResponse reply;
  switch (row.outcome) {
    case Outcome::malformed:
      return refused(call, {400, row.text});
    case Outcome::slow_down:
      return refused(call, {429, row.text, std::chrono::ceil<std::chrono::seconds>(*call.wait)});
    case Outcome::refused:
      return failed(call, row.text);
    case Outcome::bad_tags:
      return failed(call, "requested tags are invalid or not permitted", tags_refused(wanted_tags(request)));
    case Outcome::log_out:
      return log_out(call, *known);
    case Outcome::stay_out:
      reply.node_key_expired = true;
      if (known) reply.node_key_signature.bytes.assign(call.to_sign.begin(), call.to_sign.end());  // LCK-26
      answer(plan, call, std::move(reply));
      return plan;
    case Outcome::hold:
      plan.events = logins_.hold(call.machine, call.from);
      return plan;
    case Outcome::welcome:
      return refresh(call, *known);
    case Outcome::enroll:
      return enroll_by_key(call, *tailnet_.auth_key(auth_key_digest(auth_key_of(request))));
    case Outcome::sign_again:
      reply.node_key_signature.bytes.assign(call.to_sign.begin(), call.to_sign.end());
      answer(plan, call, std::move(reply));
      return plan;
    case Outcome::rotate:
      return rotate(call, *tailnet_.find(request.old_node_key));
    case Outcome::ask_a_person:
      return ask_a_person(call);
  }
  return plan;
}

Plan Registrar::log_out(const Call& call, const NodeState& node) {
  Plan plan;
  if (node.record->ephemeral) {  // API-48
    plan.writes.push_back({RecordKind::node, id(*node.holder), node.revision, nullptr});
    plan.events.push_back(notice(NoticeKind::removed, *node.record, "an ephemeral node has logged out"));
  } else if (!node.expired) {
    NodeRecord record = *node.record;
    record.key_expiry =
        call.now.wall;  // API-47: not the client's 1970, which peers compare with their clocks
    plan.events.push_back(notice(NoticeKind::logged_out, record, "logged out"));
    plan.writes.push_back(write_of(std::move(record), node.revision));
  }
  RegisterResponse reply;
  reply.node_key_expired = true;
  answer(plan, call, std::move(reply));
  return plan;
}

Plan Registrar::refresh(const Call& call, const NodeState& node) {
  Plan plan;
  const RegisterRequest& request = call.request;
  NodeRecord record = *node.record;
  earlier(record.key_expiry, request.expiry, call.now.wall);
  if (request.hostinfo)
    apply_hostinfo(*request.hostinfo, record, plan.reserved,
                   {call.policy, tailnet_.subject(record).login, call.now.wall});
  if (!request.nl_key.is_zero()) record.lock_key = request.nl_key;
  if (!call.signature.empty()) record.key_signature = call.signature;
  const UserRecord* user = tailnet_.user(record.user);
  RegisterResponse reply = success(record, user ? *user : UserRecord{});
  reply.node_key_expired = record.key_expiry && *record.key_expiry <= call.now.wall;
  answer(plan, call, std::move(reply));
  const NodeRecord& old = *node.record;
  if (record.key_expiry != old.key_expiry || record.hostinfo != old.hostinfo ||
      record.given_name != old.given_name || record.home_derp != old.home_derp || record.tags != old.tags ||
      record.requested_tags != old.requested_tags || record.approved_routes != old.approved_routes ||
      record.lock_key != old.lock_key || record.key_signature != old.key_signature)
    plan.writes.push_back(write_of(std::move(record), node.revision));
  return plan;
}

Plan Registrar::rotate(const Call& call, const NodeState& node) {  // API-89
  Plan plan;
  NodeRecord record = *node.record;
  record.key = call.request.node_key;
  record.key_signature = call.signature;
  earlier(record.key_expiry, call.request.expiry, call.now.wall);
  if (call.request.hostinfo)
    apply_hostinfo(*call.request.hostinfo, record, plan.reserved,
                   {call.policy, tailnet_.subject(record).login, call.now.wall});
  const UserRecord* user = tailnet_.user(record.user);
  plan.events.push_back(notice(NoticeKind::joined, record, "has a new key"));
  answer(plan, call, success(record, user ? *user : UserRecord{}));
  plan.writes.push_back(write_of(std::move(record), node.revision));
  return plan;
}

Plan Registrar::enroll_by_key(const Call& call, const Tailnet::Stored<AuthKeyRecord>& key) {
  const AuthKeyRecord& by = *key.record;
  const RegisterRequest& request = call.request;
  Plan plan;
  const UserRecord* user = tailnet_.user(by.user);
  Grant grant;
  if (user) grant.user = *user;
  grant.user.id = by.user;
  grant.tags = tag_set(by.tags, wanted_tags(request));
  grant.ephemeral = by.ephemeral;
  grant.approved = by.preauthorized || !config_.rules.require_approval;
  grant.auth_key = by.id;
  RegisterRequest signed_request = request;
  signed_request.node_key_signature.bytes = call.signature;
  auto record = enroll(plan, grant, signed_request, call.machine, call.policy, call.now.wall);
  if (!record) return plan.needs_ids ? std::move(plan) : refused(call, {503, "no address is free"});
  RegisterResponse reply = success(*record, grant.user);
  if (!by.reusable) {  // API-51: spent by the transaction that makes the node
    AuthKeyRecord spent = by;
    spent.used = true;
    plan.writes.push_back(write_of(std::move(spent), key.revision));
  }
  // A login of the same machine that waits for a person has become pointless.
  if (const PendingLogin* login = logins_.find(call.machine);
      login && login->request->node_key == request.node_key)
    plan.login = LoginEnd{login->id, std::make_shared<const RegisterResponse>(reply)};
  answer(plan, call, std::move(reply));
  return plan;
}

Plan Registrar::ask_a_person(const Call& call) {  // API-83
  const auto& hostinfo = call.request.hostinfo;
  if (hostinfo && hostinfo->raw.text().size() > Logins::max_host_size)
    return refused(call, {413, "the host information is too large"});
  RegisterRequest request = call.request;
  request.node_key_signature.bytes = call.signature;
  Plan plan;
  const PendingLogin* login = logins_.begin(call.machine, request, call.now.mono, plan.events);
  if (!login) return refused(call, {429, "too many logins are pending", std::chrono::seconds{60}});
  RegisterResponse reply;
  reply.auth_url = logins_.url(*login);
  answer(plan, call, std::move(reply));
  return plan;
}

Registrar::Decision Registrar::decide(std::string_view login_id, std::string_view login_name,
                                      std::string_view refusal, const Policy& policy, Now now) {
  Decision out;
  const auto tell = [&](std::string error, int status, std::string_view text) {
    RegisterResponse reply;
    reply.error = std::move(error);
    out.plan = {};
    out.plan.login = LoginEnd{std::string(login_id), std::make_shared<const RegisterResponse>(reply)};
    out.status = status;
    out.text = text;
    return std::move(out);
  };
  const auto impossible = [&](int status, std::string_view text) {
    out.status = status;
    out.text = text;
    return std::move(out);
  };
  const PendingLogin* login = logins_.find(login_id);
  if (!login) return impossible(404, "no such login");
  if (login_name.empty())
    return tell(refusal.empty() ? "the login was denied" : std::string(refusal), 200, {});
  if (!is_login_name(login_name) || login_name == tagged_devices_login)
    return impossible(400, "this can not be a login name");

  const RegisterRequest& request = *login->request;
  if (const NodeState* known = tailnet_.find(request.node_key);
      known && known->record->machine != login->machine)  // API-42: taken meanwhile
    return tell("node key already in use", 409, "another machine has this node key by now");
  Grant grant;
  grant.tags = wanted_tags(request);
  if (!may_have(policy, login_name, {}, grant.tags))  // API-87
    return tell(tags_refused(grant.tags), 403, "the node wants tags that are not this user's to give");
  grant.user = user_of(login_name, now.wall, out.plan);
  grant.approved = !config_.rules.require_approval;
  auto record = enroll(out.plan, grant, request, login->machine, policy, now.wall);
  if (!record && !out.plan.needs_ids) {
    out.plan = {};
    return impossible(503, "no address is free");
  }
  if (record)
    out.plan.login =
        LoginEnd{login->id, std::make_shared<const RegisterResponse>(success(*record, grant.user))};
  return out;
}

UserRecord Registrar::user_of(std::string_view login_name, WallTime now, Plan& plan) const {
  if (const UserRecord* user = tailnet_.user(login_name)) return *user;
  // API-86: by the counter itself, so that of two who make the same user one is told to look again.
  std::uint64_t next = next_id(tailnet_);
  UserRecord user = new_user(login_name, "login", UserId{next++}, now);
  plan.writes.push_back(write_of(user, Revision{}));
  plan.writes.push_back(count_up(tailnet_, next));
  return user;
}

// API-50: the machine's node of this owner is used again, whatever its old key was.
const NodeState* Registrar::returning(const Grant& grant, const RegisterRequest& request,
                                      const MachinePublic& machine) const {
  if (const NodeState* known = tailnet_.find(request.node_key)) return known;
  if (const auto* node = tailnet_.find(machine, grant.user.id, !grant.tags.empty())) return node;
  // The same user takes tags or gives them back.
  const NodeState* old = request.old_node_key.is_zero() ? nullptr : tailnet_.find(request.old_node_key);
  return old && old->record->machine == machine && old->record->user == grant.user.id ? old : nullptr;
}

std::optional<NodeRecord> Registrar::enroll(Plan& plan, const Grant& grant, const RegisterRequest& request,
                                            const MachinePublic& machine, const Policy& policy,
                                            WallTime now) {
  const NodeState* node = returning(grant, request, machine);
  NodeRecord record;
  if (node) {
    record = *node->record;
    record.authorized = record.authorized || grant.approved;  // API-91
  } else {
    auto fresh = new_record(plan, plan.reserved, now);
    if (!fresh) return std::nullopt;
    record = *std::move(fresh);
    record.authorized = grant.approved;
  }
  plan.reserved.node = record.id;
  record.machine = machine;
  if (record.key != request.node_key) record.key_signature.clear();
  record.key = request.node_key;
  record.user = grant.user.id;
  record.tags = grant.tags;
  record.requested_tags = wanted_tags(request);
  record.ephemeral = grant.ephemeral || request.ephemeral;
  record.auth_key = grant.auth_key;
  record.lock_key = request.nl_key;
  if (!request.node_key_signature.empty()) record.key_signature = request.node_key_signature.bytes;
  record.key_expiry.reset();
  if (record.tags.empty()) {
    if (config_.key_lifetime) record.key_expiry = now + *config_.key_lifetime;
    earlier(record.key_expiry, request.expiry, now);
  }
  if (request.version > Capability{1}) record.capability = request.version;  // 1: TS2019 says nothing
  if (request.hostinfo || !record.hostinfo)
    apply_hostinfo(request.hostinfo ? *request.hostinfo : Hostinfo{}, record, plan.reserved,
                   {policy, grant.user.login_name, now});
  plan.events.push_back(notice(NoticeKind::joined, record, node ? "logged in again" : "joined"));
  plan.writes.push_back(write_of(record, node ? node->revision : Revision{}));
  return record;
}

std::optional<NodeRecord> Registrar::new_record(Plan& plan, Reserved& reserved, WallTime now, NodeId id) {
  NodeRecord record;
  for (record.id = id; record.id == NodeId{} || tailnet_.find(record.id);) {  // some are put there by order
    if (ids_.left() == 0) {
      plan.needs_ids = 1;
      return std::nullopt;
    }
    record.id = NodeId{ids_.take()};
  }
  std::optional<Ipv4Address> v4;
  if (config_.test_mode) {
    record.stable_id = test_stable_id(record.id);
    if (const auto wanted = test_address(record.id); tailnet_.addresses().take(wanted)) v4 = wanted;
  } else {
    record.stable_id = "n" + random_text<16>(entropy_) + "CNTRL";
  }
  if (!v4) v4 = tailnet_.addresses().allocate(entropy_);
  if (!v4) return std::nullopt;
  record.v4 = *v4;
  record.created = now;
  reserved.v4 = *v4;
  reserved.node = record.id;
  return record;
}

void Registrar::apply_hostinfo(const Hostinfo& hostinfo, NodeRecord& record, Reserved& reserved,
                               const Judge& judge) {
  if (hostinfo.net_info && hostinfo.net_info->preferred_derp > 0)  // MAP-30
    record.home_derp = hostinfo.net_info->preferred_derp;
  if (!record.hostinfo || *record.hostinfo != hostinfo) {
    auto kept = std::make_shared<Hostinfo>(hostinfo);
    if (!kept->net_info && record.hostinfo) kept->net_info = record.hostinfo->net_info;
    record.hostinfo = std::move(kept);
  }
  const std::string before = label_from_hostname(record.hostname, record.id);
  record.hostname = hostinfo.hostname;
  if (record.given_name.empty() || before != label_from_hostname(record.hostname, record.id))
    name_by_host(record, reserved);
  if (config_.test_mode)
    change_tags(config_.rules.tag_owners, tag_set(hostinfo.request_tags), record, judge.now);
  else
    change_tags(judge.policy, judge.login, tag_set(hostinfo.request_tags), record, judge.now);
  approve_routes(judge.policy, judge.login, record);
}

void Registrar::name_by_host(NodeRecord& record, Reserved& reserved) {
  if (record.name_is_set) return;
  const std::string old = record.given_name;
  record.given_name = tailnet_.names().allocate(label_from_hostname(record.hostname, record.id), record.id);
  if (record.given_name == old) return;
  reserved.node = record.id;
  reserved.name = record.given_name;
}

bool is_login_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 254 && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\' && c != '<' && c != '>';
  });
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/registrar.h"

#include <algorithm>

namespace ts2021::coord {
namespace {

constexpr std::string_view interactive_login =
    "interactive login is not available on this server: use an auth key";

RegisterPlan refused(int status, std::string_view text) {
  RegisterPlan plan;
  plan.refusal = Refusal{status, text, std::nullopt};
  return plan;
}

// "Business" failures are an answer of status 200 (API-41).
RegisterPlan failed(std::string_view text) {
  RegisterPlan plan;
  plan.why = text;
  plan.reply.error = text;
  return plan;
}

RecordPtr share(NodeRecord record) { return std::make_shared<const Record>(std::move(record)); }

void earlier(std::optional<WallTime>& expiry, Time wanted, WallTime now) {
  if (wanted.is_zero() || wanted.at <= now) return;
  if (!expiry || wanted.at < *expiry) expiry = wanted.at;
}

}  // namespace

RegisterPlan Registrar::plan(const Request& request, const MachinePublic& machine, WallTime now) {
  if (request.version == Capability{}) return refused(400, "the request has no version");  // API-40
  if (request.node_key.is_zero()) return refused(400, "the request has no node key");
  const NodeState* known = tailnet_.find(request.node_key);
  if (known && known->record->machine != machine) return failed("node key already in use");  // API-42
  const bool wants_out = !request.expiry.is_zero() && request.expiry.at <= now;
  if (wants_out) {  // API-43: before any look at auth keys, which clients send along
    if (known) return log_out(*known, now);
    RegisterPlan plan;
    plan.reply.node_key_expired = true;
    return plan;
  }
  if (known && !known->expired) return refresh(*known, request, now);  // API-44
  const std::string_view secret = request.auth ? std::string_view(request.auth->auth_key) : "";
  if (secret.empty()) {
    RegisterPlan plan;
    const Bytes to_rotate = lock_.to_rotate(request, machine);  // LCK-26
    if (!known && to_rotate.empty()) return failed(interactive_login);
    plan.reply.node_key_signature.bytes.assign(to_rotate.begin(), to_rotate.end());
    plan.reply.node_key_expired = known != nullptr;  // API-45
    return plan;
  }
  const auto* key = tailnet_.auth_key(auth_key_digest(secret));
  if (!key) return failed("invalid auth key");  // API-46
  if (key->record->revoked) return failed("authkey revoked");
  if (key->record->expiry && *key->record->expiry <= now) return failed("authkey expired");
  if (!key->record->reusable && key->record->used) return failed("authkey already used");
  return log_in(*key, known, request, machine, now);
}

RegisterPlan Registrar::log_out(const NodeState& node, WallTime now) {
  RegisterPlan plan;
  plan.reply.node_key_expired = true;
  if (node.record->ephemeral) {  // API-48
    plan.writes.push_back({RecordKind::node, id(*node.holder), node.revision, nullptr});
    plan.notice = notice(NoticeKind::removed, *node.record, "an ephemeral node has logged out");
    return plan;
  }
  if (node.expired) return plan;
  NodeRecord record = *node.record;
  record.key_expiry = now;  // API-47: not the client's 1970, which peers would compare with their clocks
  plan.notice = notice(NoticeKind::logged_out, record, "logged out");
  put(plan, std::move(record), node.revision);
  return plan;
}

RegisterPlan Registrar::refresh(const NodeState& node, const Request& request, WallTime now) {
  RegisterPlan plan;
  NodeRecord record = *node.record;
  earlier(record.key_expiry, request.expiry, now);  // API-49
  if (request.hostinfo) apply_hostinfo(*request.hostinfo, record, plan.reserved);
  if (!request.nl_key.is_zero()) record.lock_key = request.nl_key;
  take_signature(request, record);
  welcome(plan, record);
  const NodeRecord& old = *node.record;
  if (record.key_expiry != old.key_expiry || record.hostinfo != old.hostinfo ||
      record.given_name != old.given_name || record.home_derp != old.home_derp ||
      record.lock_key != old.lock_key || record.key_signature != old.key_signature)
    put(plan, std::move(record), node.revision);
  return plan;
}

RegisterPlan Registrar::log_in(const Tailnet::Stored<AuthKeyRecord>& key, const NodeState* known,
                               const Request& request, const MachinePublic& machine, WallTime now) {
  const AuthKeyRecord& grant = *key.record;
  // API-50: the machine's node of this owner is used again, whatever its old key was.
  const NodeState* node = known ? known : tailnet_.find(machine, grant.user, !grant.tags.empty());
  RegisterPlan plan;
  NodeRecord record;
  if (node) {
    record = *node->record;
  } else {
    if (ids_.left() == 0) {
      plan.needs_ids = true;
      return plan;
    }
    const auto v4 = tailnet_.addresses().allocate(entropy_);
    if (!v4) return refused(503, "no address is free");
    record.id = NodeId{ids_.take()};
    record.stable_id = make_stable_id();
    record.v4 = *v4;
    record.created = now;
    plan.reserved.v4 = *v4;
  }
  plan.reserved.node = record.id;
  record.machine = machine;
  if (record.key != request.node_key) record.key_signature.clear();
  record.key = request.node_key;
  record.user = grant.user;
  record.tags = grant.tags;
  record.ephemeral = grant.ephemeral || request.ephemeral;
  record.auth_key = grant.id;
  record.lock_key = request.nl_key;
  take_signature(request, record);
  record.key_expiry.reset();
  if (record.tags.empty()) {
    if (config_.key_lifetime) record.key_expiry = now + *config_.key_lifetime;
    earlier(record.key_expiry, request.expiry, now);
  }
  if (request.version > Capability{1}) record.capability = request.version;  // 1: TS2019 says nothing
  if (request.hostinfo || !record.hostinfo)
    apply_hostinfo(request.hostinfo ? *request.hostinfo : Hostinfo{}, record, plan.reserved);
  welcome(plan, record);
  plan.notice = notice(NoticeKind::joined, record, node ? "logged in again" : "joined");
  put(plan, std::move(record), node ? node->revision : Revision{});
  if (!grant.reusable) {  // API-51: spent by the transaction that makes the node
    AuthKeyRecord spent = grant;
    spent.used = true;
    plan.writes.push_back(
        {RecordKind::auth_key, grant.id, key.revision, std::make_shared<const Record>(std::move(spent))});
  }
  return plan;
}

void Registrar::apply_hostinfo(const Hostinfo& hostinfo, NodeRecord& record, Reserved& reserved) {
  if (hostinfo.net_info && hostinfo.net_info->preferred_derp > 0)  // MAP-30
    record.home_derp = hostinfo.net_info->preferred_derp;
  if (!record.hostinfo || *record.hostinfo != hostinfo) {
    auto kept = std::make_shared<Hostinfo>(hostinfo);
    if (!kept->net_info && record.hostinfo) kept->net_info = record.hostinfo->net_info;
    record.hostinfo = std::move(kept);
  }
  const std::string label = label_from_hostname(hostinfo.hostname, record.id);
  const bool same_label = label == label_from_hostname(record.hostname, record.id);
  record.hostname = hostinfo.hostname;
  const std::string old = record.given_name;
  if (!old.empty() && same_label) return;
  record.given_name = tailnet_.names().allocate(label, record.id);
  if (record.given_name == old) return;
  reserved.node = record.id;
  reserved.name = record.given_name;
}

void Registrar::take_signature(const Request& request, NodeRecord& record) const {
  auto signature = lock_.accepted(request.node_key, request.node_key_signature.bytes);
  if (!signature.empty()) record.key_signature = std::move(signature);
}

void Registrar::put(RegisterPlan& plan, NodeRecord record, Revision expected) {
  const auto number = static_cast<std::uint64_t>(record.id);
  plan.writes.push_back({RecordKind::node, number, expected, share(std::move(record))});
}

void Registrar::welcome(RegisterPlan& plan, const NodeRecord& record) {  // API-52
  RegisterResponse& reply = plan.reply;
  reply.machine_authorized = record.authorized;
  const UserRecord* user = tailnet_.user(record.user);
  reply.user.id = record.user;
  reply.login.id = LoginId{static_cast<std::uint64_t>(record.user)};
  if (!user) return;
  reply.user.display_name = user->display_name;
  reply.user.created = user->created;
  reply.login.provider = user->provider;
  reply.login.login_name = user->login_name;
  reply.login.display_name = user->display_name;
}

std::string Registrar::make_stable_id() {
  constexpr std::string_view digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::array<std::uint8_t, 16> random{};
  entropy_.fill(random);
  std::string out = "n";
  for (const auto byte : random) out += digits[byte % digits.size()];
  return out + "CNTRL";
}

}  // namespace ts2021::coord

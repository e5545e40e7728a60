// SPDX-License-Identifier: BSD-3-Clause
#include "coord/approvals.h"

#include <utility>

#include "coord/ssh_check.h"
#include "ts2021/msg/hostinfo.h"

namespace ts2021::coord {
namespace {

constexpr std::string_view no_such_node = "node not found";

SSHAction rejection(std::string_view message) {
  SSHAction out;
  out.reject = true;
  out.message = message;
  return out;
}

// As a query carries it: all but letters, digits and "-._~".
std::string escaped(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

}  // namespace

std::optional<Approvals::Ends> Approvals::ends(const coord_input::Ask& ask, NodeId src, NodeId dst) const {
  const Ends ends{tailnet_.find(src), tailnet_.find(dst)};
  if (!ends.src || !ends.dst || !ask.machine || ends.dst->record->machine != *ask.machine)
    return std::nullopt;
  return ends;
}

std::optional<SSHAction> Approvals::action_of(const Ends& ends, const std::string& ssh_user,
                                              const std::string& local_user, Now now) const {
  std::vector<Subject> everybody;
  for (const auto& [id, state] : tailnet_.nodes())
    if (state.record->authorized) everybody.push_back(tailnet_.subject(*state.record));
  const auto policy = policy_().ssh_policy(tailnet_.subject(*ends.dst->record), everybody);
  if (!policy || ends.src->expired || !ends.src->record->authorized) return std::nullopt;
  const SSHRule* rule =
      deciding_rule(*policy, tailnet_.subject(*ends.src->record), ssh_user, local_user, now.wall);
  return rule ? std::optional(rule->action) : std::nullopt;
}

// API-134, API-135
Plan Approvals::plan(const coord_input::Ask& ask, const question::AuthorizeSsh& asked, Now now) {
  const auto both = ends(ask, asked.src, asked.dst);
  if (!both) return refused(ask, 404, no_such_node);
  const auto say = [&](SSHAction action) { return answered(ask, answer::Verdict{std::move(action)}); };

  const auto action = action_of(*both, asked.ssh_user, asked.local_user, now);
  if (!action || action->reject || (!action->accept && action->hold_and_delegate.empty()))
    return say(rejection("The policy does not let this session in.\n"));
  const UserId owner = both->src->record->user;
  if (action->accept || confirmations_.vouched(asked.src, owner, check_period(*action), now.mono))
    return say(granted(*action));

  if (Confirmations::One* one = confirmations_.find(asked.auth_id)) {
    if (one->kind != PendingKind::ssh || one->src != asked.src || one->dst != asked.dst ||
        one->ssh_user != asked.ssh_user || one->local_user != asked.local_user)
      return refused(ask, 404, "no such session");
    if (one->state != Confirmations::State::open) return say(verdict(*one, now));
    one->waiting.push_back(key_of(ask));
    return held();
  }
  if (config_.rules.login_url.empty())
    return say(rejection("This server has no page to confirm the session on.\n"));
  const auto id = confirmations_.begin({.kind = PendingKind::ssh,
                                        .src = asked.src,
                                        .dst = asked.dst,
                                        .ssh_user = asked.ssh_user,
                                        .local_user = asked.local_user,
                                        .until = now.mono + config_.login_timeout});
  if (!id) return refused(ask, 429, "too many sessions wait for a person");
  SSHAction wait;
  wait.message = "# To continue, visit:\n# " + url(*id) + "\n";
  wait.hold_and_delegate =
      "https://unused/machine/ssh/action/from/" + std::to_string(static_cast<std::uint64_t>(asked.src)) +
      "/to/" + std::to_string(static_cast<std::uint64_t>(asked.dst)) +
      "?ssh_user=" + escaped(asked.ssh_user) + "&local_user=" + escaped(asked.local_user) + "&auth_id=" + *id;
  return say(std::move(wait));
}

// API-136
Plan Approvals::plan(const coord_input::Ask& ask, const question::BeginWebClient& asked, Now now) {
  if (!ends(ask, asked.src, asked.dst)) return refused(ask, 404, no_such_node);
  if (config_.rules.login_url.empty()) return refused(ask, 501, "this server has no page to confirm it on");
  const auto id = confirmations_.begin({.kind = PendingKind::web_client,
                                        .src = asked.src,
                                        .dst = asked.dst,
                                        .until = now.mono + config_.login_timeout});
  if (!id) return refused(ask, 429, "too many visits wait for a person");
  return answered(ask, answer::Visit{*id, url(*id)});
}

Plan Approvals::plan(const coord_input::Ask& ask, const question::AwaitWebClient& asked, Now) {
  if (!ends(ask, asked.src, asked.dst)) return refused(ask, 404, no_such_node);
  Confirmations::One* one = confirmations_.find(asked.id);
  if (!one || one->kind != PendingKind::web_client || one->src != asked.src || one->dst != asked.dst)
    return refused(ask, 404, "no such visit");
  switch (one->state) {
    case Confirmations::State::granted:
      return answered(ask, answer::Done{});
    case Confirmations::State::denied:
      return refused(ask, 403, "the visit was denied");
    case Confirmations::State::open:
      break;
  }
  one->waiting.push_back(key_of(ask));
  return held();
}

std::optional<answer::Pending> Approvals::find(const std::string& id) {
  const Confirmations::One* one = confirmations_.find(id);
  if (!one || one->state != Confirmations::State::open) return std::nullopt;
  const NodeState* src = tailnet_.find(one->src);
  const NodeState* dst = tailnet_.find(one->dst);
  if (!src || !dst) return std::nullopt;
  answer::Pending out;
  out.id = id;
  out.kind = one->kind;
  out.hostname = src->record->given_name;
  if (src->record->hostinfo) out.os = src->record->hostinfo->os;
  out.node_key = src->record->key;
  out.machine = src->record->machine;
  out.target = dst->record->given_name;
  if (one->kind == PendingKind::ssh) out.target = one->local_user + " on " + out.target;
  return out;
}

Plan Approvals::plan(const coord_input::Ask& ask, const question::DecidePending& said, Now now) {
  Confirmations::One* one = confirmations_.find(said.id);
  const NodeState* src = one ? tailnet_.find(one->src) : nullptr;
  if (!src || one->state != Confirmations::State::open) return refused(ask, 404, "nothing waits here");
  if (!said.login_name.empty()) {
    const UserRecord* owner = tailnet_.user(src->record->user);  // API-137
    if (!owner || owner->login_name != said.login_name)
      return refused(ask, 403, "the node belongs to another user");
    one->state = Confirmations::State::granted;
    if (one->kind == PendingKind::ssh) confirmations_.vouch(one->src, src->record->user, now.mono);
  } else {
    one->state = Confirmations::State::denied;
  }
  Plan plan = answered(ask, answer::Done{});
  tell(*one, now, plan.events);
  one->waiting.clear();
  return plan;
}

SSHAction Approvals::verdict(const Confirmations::One& one, Now now) const {
  if (one.state == Confirmations::State::denied) return rejection("The session was denied.\n");
  if (one.state == Confirmations::State::open)
    return rejection("Nobody has confirmed the session in time.\n");
  const Ends both{tailnet_.find(one.src), tailnet_.find(one.dst)};
  const auto action =
      both.src && both.dst ? action_of(both, one.ssh_user, one.local_user, now) : std::nullopt;
  return action && !action->reject ? granted(*action) : rejection("The policy has changed.\n");
}

void Approvals::tell(const Confirmations::One& one, Now now, std::vector<CoordEvent>& events) const {
  for (const PollKey& key : one.waiting) {
    if (one.kind == PendingKind::ssh)
      events.push_back(answer_event(key, answer::Verdict{verdict(one, now)}));
    else if (one.state == Confirmations::State::granted)
      events.push_back(answer_event(key, answer::Done{}));
    else
      events.push_back(refusal_event(key, 403, "the visit was not confirmed"));
  }
}

void Approvals::advance(Now now, std::vector<CoordEvent>& events) {
  while (const auto one = confirmations_.pop(now.mono)) tell(*one, now, events);
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
#include "admin/state.h"

namespace ts2021::admin {
namespace {

// Tells the desk's commands from those of the program.
constexpr std::uint64_t own_command = std::uint64_t{1} << 63;

}  // namespace

void State::answer(CallId call, Reply reply) {
  if (open_calls.erase(call) > 0)
    replies.emplace_back(call, std::move(reply));
  else if (reply.unread)
    reply.unread();
}

Outcome State::wait(CallId call, Instant::duration patience, Attempt attempt) {
  const bool over = patience <= patience.zero();
  if (auto reply = attempt(over); reply || over) return reply;
  waiting.push_back({call, now.mono + patience, std::move(attempt)});
  return std::nullopt;
}

void State::settle_waiting() {
  const bool all = std::exchange(stirred, false);
  for (auto at = waiting.begin(); at != waiting.end();) {
    const bool over = at->until <= now.mono;
    auto reply = all || over ? at->attempt(over) : std::nullopt;
    if (!reply) {
      ++at;
      continue;
    }
    const CallId call = at->call;
    at = waiting.erase(at);
    answer(call, std::move(*reply));
  }
}

void State::order(std::optional<CallId> call, bool wake, CoordOrder what, Then then, Judge judge) {
  const CommandId id{own_command | ++last_command};
  ordered.emplace(id, Ordered{call, cause_of(what), std::move(then), judge});
  commands.push_back(CoordCommand{id, std::move(what), wake});
}

void State::change_rules(std::optional<CallId> call, bool wake, std::function<void(Rules&)> change,
                         Then then) {
  rules_changes.push_back({call, wake, std::move(change), std::move(then)});
  if (rules_changes.size() == 1) start_rules_change();
}

void State::start_rules_change() {
  RulesChange& next = rules_changes.front();
  Rules rules = coordinator->rules();
  next.change(rules);
  // Whatever the coordinator says, the next one's turn has come.
  const auto go_on = [this](const coord_event::CommandDone& done) {
    const RulesChange ended = std::move(rules_changes.front());
    rules_changes.pop_front();
    if (ended.call)
      answer(*ended.call, done.status == 200 ? ended.then(done) : error_reply(done.status, done.text));
    if (!rules_changes.empty()) start_rules_change();
    return Reply{};
  };
  order(std::nullopt, next.wake, coord_command::SetRules{std::move(rules)}, go_on, Judge::then);
}

bool State::carried_out(const coord_event::CommandDone& done) {
  if ((static_cast<std::uint64_t>(done.command) & own_command) == 0) return false;
  const auto at = ordered.find(done.command);
  if (at == ordered.end()) return true;  // of before a reset
  Ordered ended = std::move(at->second);
  ordered.erase(at);
  if (done.status == 200) causes.add(std::move(ended.cause));
  stir();
  const bool judged = done.status == 200 || ended.judge == Judge::then;
  Reply reply = judged ? ended.then(done) : error_reply(done.status, done.text);
  if (ended.call) answer(*ended.call, std::move(reply));
  return true;
}

void State::ask_program(CallId call, std::variant<task::Reset, task::SetClock, task::AdvanceClock> what) {
  const TaskId id{++last_task};
  asked.emplace(id, Asked{call, std::holds_alternative<task::Reset>(what)});
  tasks.push_back({id, what});
}

void State::forget(const Coordinator& fresh) {
  coordinator = &fresh;
  passing = Passing{};
  faults = config.faults;
  causes.forget();
  timeline.forget();
  inputs.clear();
  coord_events.clear();
  commands.clear();
  for (auto& [id, gone] : std::exchange(ordered, {}))
    if (gone.call) answer(*gone.call, error_reply(409, "the server was reset"));
  for (auto& change : std::exchange(rules_changes, {}))
    if (change.call) answer(*change.call, error_reply(409, "the server was reset"));
  stir();
}

std::string State::base_url() const {
  const std::string& url = coordinator->rules().login_url;
  return url.empty() ? config.base_url : url;
}

}  // namespace ts2021::admin

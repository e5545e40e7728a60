// SPDX-License-Identifier: BSD-3-Clause
#include "coord/logins.h"

#include <algorithm>

#include "coord/random_text.h"

namespace ts2021::coord {
namespace {

std::shared_ptr<const RegisterResponse> failure(std::string text) {
  RegisterResponse reply;
  reply.error = std::move(text);
  return std::make_shared<const RegisterResponse>(std::move(reply));
}

std::string_view id_in(std::string_view url) {
  constexpr std::string_view before = "/a/";
  const auto at = url.rfind(before);
  return at == std::string_view::npos ? std::string_view() : url.substr(at + before.size());
}

}  // namespace

const PendingLogin* Logins::begin(const MachinePublic& machine, const RegisterRequest& request, Instant now,
                                  std::vector<CoordEvent>& events) {
  auto wanted = std::make_shared<RegisterRequest>(request);
  std::string id;
  if (const auto at = by_machine_.find(machine); at != by_machine_.end()) {
    PendingLogin& old = *at->second;
    // A followup does not repeat what the first request said beside its key.
    if (!request.followup.empty()) {
      wanted->ephemeral = wanted->ephemeral || old.request->ephemeral;
      if (wanted->tailnet.empty()) wanted->tailnet = old.request->tailnet;
    }
    id = old.id;  // API-83: whichever URL was printed last, a click on it completes
    answer(old, failure("a newer login has taken the place of this one"), events);
    forget(at->second);
  } else if (order_.size() >= max_logins) {
    const auto unattended = std::find_if(order_.begin(), order_.end(),
                                         [](const PendingLogin& login) { return login.waiting.empty(); });
    if (unattended == order_.end()) return nullptr;
    forget(unattended);
  }
  if (id.empty()) id = make_id();
  order_.push_back({std::move(id), machine, std::move(wanted), now + config_.login_timeout, {}});
  index(std::prev(order_.end()));
  return &order_.back();
}

const PendingLogin* Logins::find(std::string_view id) const {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : &*at->second;
}

const PendingLogin* Logins::find(const MachinePublic& machine) const {
  const auto at = by_machine_.find(machine);
  return at == by_machine_.end() ? nullptr : &*at->second;
}

bool Logins::continues(const RegisterRequest& request, const MachinePublic& machine) const {
  const PendingLogin* login = find(machine);
  return login && login->id == id_in(request.followup) && login->request->node_key == request.node_key;
}

std::vector<CoordEvent> Logins::hold(const MachinePublic& machine, PollKey followup) {
  std::vector<CoordEvent> events;
  const auto login = by_machine_.find(machine)->second;
  if (login->waiting.size() >= max_waiting) {
    const PollKey oldest = login->waiting.front();
    release(oldest);
    events.push_back(coord_event::RegisterReply{oldest.session, oldest.call,
                                                failure("a newer request waits for the same login")});
  }
  login->waiting.push_back(followup);
  held_[followup] = login;
  return events;
}

void Logins::release(PollKey followup) {
  const auto at = held_.find(followup);
  if (at == held_.end()) return;
  std::erase(at->second->waiting, followup);
  held_.erase(at);
}

void Logins::release(SessionId session) {
  for (auto at = held_.lower_bound({session, CallId{}}); at != held_.end() && at->first.session == session;) {
    const PollKey followup = (at++)->first;
    release(followup);
  }
}

std::vector<CoordEvent> Logins::end(std::string_view id,
                                    const std::shared_ptr<const RegisterResponse>& reply) {
  std::vector<CoordEvent> events;
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return events;
  answer(*at->second, reply, events);
  forget(at->second);
  return events;
}

std::vector<CoordEvent> Logins::advance(Instant now) {
  std::vector<CoordEvent> events;
  while (!order_.empty() && order_.front().deadline <= now) {
    const auto login = order_.begin();
    if (login->waiting.empty()) {
      forget(login);
      continue;
    }
    by_id_.erase(login->id);
    login->id = make_id();
    by_id_[login->id] = login;
    login->deadline = now + config_.login_timeout;
    order_.splice(order_.end(), order_, login);
    answer(*login, asking(*login), events);
  }
  return events;
}

std::optional<Instant> Logins::next_timeout() const {
  if (order_.empty()) return std::nullopt;
  return order_.front().deadline;
}

void Logins::index(Order::iterator login) {
  by_id_[login->id] = login;
  by_machine_[login->machine] = login;
}

void Logins::forget(Order::iterator login) {
  for (const PollKey followup : login->waiting) held_.erase(followup);
  by_id_.erase(login->id);
  by_machine_.erase(login->machine);
  order_.erase(login);
}

void Logins::answer(PendingLogin& login, const std::shared_ptr<const RegisterResponse>& reply,
                    std::vector<CoordEvent>& events) {
  for (const PollKey followup : std::exchange(login.waiting, {})) {
    held_.erase(followup);
    events.push_back(coord_event::RegisterReply{followup.session, followup.call, reply});
  }
}

std::shared_ptr<const RegisterResponse> Logins::asking(const PendingLogin& login) const {
  RegisterResponse reply;
  reply.auth_url = url(login);
  return std::make_shared<const RegisterResponse>(std::move(reply));
}

std::string Logins::make_id() {
  std::string id = random_text<24>(entropy_);
  if (by_id_.contains(id)) id += std::to_string(++twins_);  // the entropy of a test may repeat itself
  return id;
}

}  // namespace ts2021::coord

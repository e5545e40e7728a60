// SPDX-License-Identifier: BSD-3-Clause
#include "coord/test_logins.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ts2021::coord {

std::string_view test_login_id(std::string_view url) {
  constexpr std::string_view before = "/auth/";
  const auto at = url.find(before);
  if (at == std::string_view::npos) return {};
  url.remove_prefix(at + before.size());
  return url.substr(0, url.find_first_of("?#"));
}

std::string TestLogins::make_id() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<std::uint8_t, 10> random{};
  entropy_.fill(random);
  std::string id;
  for (const auto byte : random) {
    id += digits[byte >> 4];
    id += digits[byte & 15];
  }
  // The entropy of a test may repeat itself.
  for (std::size_t at = id.size(); logins_.contains(id); at = at > 1 ? at - 1 : id.size())
    id[at - 1] = digits[(digits.find(id[at - 1]) + 1) % digits.size()];
  return id;
}

std::string TestLogins::begin(const MachinePublic& machine, const NodePublic& key,
                              std::vector<CoordEvent>& events) {
  if (order_.size() >= max_logins) {
    const auto oldest = logins_.find(order_.front());
    tell(oldest->second, "too many logins are pending", events);
    logins_.erase(oldest);
    order_.pop_front();
  }
  std::string id = make_id();
  logins_.emplace(id, Login{.machine = machine, .key = key});
  order_.push_back(id);
  return id;
}

TestLogins::State TestLogins::state(std::string_view id) const {
  const auto at = logins_.find(id);
  return at == logins_.end() ? State::none : at->second.state;
}

const std::string& TestLogins::failure(std::string_view id) const { return logins_.find(id)->second.failure; }

MachinePublic TestLogins::machine(std::string_view id) const {
  const auto at = logins_.find(id);
  return at == logins_.end() ? MachinePublic() : at->second.machine;
}

NodePublic TestLogins::key(std::string_view id) const {
  const auto at = logins_.find(id);
  return at == logins_.end() ? NodePublic() : at->second.key;
}

void TestLogins::hold(std::string_view id, Followup followup, std::vector<CoordEvent>& events) {
  auto& waiting = logins_.find(id)->second.waiting;
  if (waiting.size() >= max_waiting) {
    Login oldest;
    oldest.waiting.push_back(std::move(waiting.front()));
    waiting.erase(waiting.begin());
    tell(oldest, "a newer request waits for the same login", events);
  }
  waiting.push_back(std::move(followup));
}

void TestLogins::complete(std::string_view id) {
  Login& login = logins_.find(id)->second;
  login.state = State::done;
  completed_.insert(login.key);
  for (Followup& followup : login.waiting) again_.push_back(std::move(followup));
  login.waiting.clear();
}

void TestLogins::fail(std::string_view id, std::string text, std::vector<CoordEvent>& events) {
  Login& login = logins_.find(id)->second;
  login.state = State::failed;
  login.failure = std::move(text);
  tell(login, login.failure, events);
}

void TestLogins::tell(Login& login, std::string_view text, std::vector<CoordEvent>& events) {
  RegisterResponse failed;
  failed.error = text;
  const auto reply = std::make_shared<const RegisterResponse>(std::move(failed));
  for (const Followup& followup : std::exchange(login.waiting, {}))
    events.push_back(coord_event::RegisterReply{followup.from.session, followup.from.call, reply});
}

template <class Which>
void TestLogins::drop(Which which) {
  const auto gone = [&which](const Followup& followup) { return which(followup.from); };
  for (auto& [id, login] : logins_) std::erase_if(login.waiting, gone);
}

void TestLogins::release(PollKey followup) {
  drop([followup](const PollKey& from) { return from == followup; });
}

void TestLogins::release(SessionId session) {
  drop([session](const PollKey& from) { return from.session == session; });
}

}  // namespace ts2021::coord

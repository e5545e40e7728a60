// SPDX-License-Identifier: BSD-3-Clause
#include "coord/confirmations.h"

#include <algorithm>

#include "coord/token.h"

namespace ts2021::coord {

std::optional<std::string> Confirmations::begin(One one) {
  const auto same = std::count_if(open_.begin(), open_.end(),
                                  [&](const auto& other) { return other.second.dst == one.dst; });
  if (open_.size() >= max_open || static_cast<std::size_t>(same) >= max_per_target) return std::nullopt;
  return open_.emplace(make_token(entropy_), std::move(one)).first->first;
}

Confirmations::One* Confirmations::find(const std::string& id) {
  const auto at = open_.find(id);
  return at == open_.end() ? nullptr : &at->second;
}

void Confirmations::forget(PollKey key) {
  for (auto& [id, one] : open_) std::erase(one.waiting, key);
}

void Confirmations::forget(SessionId session) {
  for (auto& [id, one] : open_)
    std::erase_if(one.waiting, [session](const PollKey& key) { return key.session == session; });
}

std::optional<Confirmations::One> Confirmations::pop(Instant now) {
  for (auto at = open_.begin(); at != open_.end(); ++at) {
    if (at->second.until > now) continue;
    One one = std::move(at->second);
    open_.erase(at);
    return one;
  }
  return std::nullopt;
}

std::optional<Instant> Confirmations::next_timeout() const {
  const auto first = std::min_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
    return a.second.until < b.second.until;
  });
  return first == open_.end() ? std::nullopt : std::optional(first->second.until);
}

void Confirmations::vouch(NodeId src, UserId owner, Instant now) { vouched_[{src, owner}] = now; }

bool Confirmations::vouched(NodeId src, UserId owner, std::chrono::seconds period, Instant now) const {
  const auto at = vouched_.find({src, owner});
  return at != vouched_.end() && now - at->second < period;
}

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// What waits for a person beside logins: SSH sessions in check mode, and visits of a node's web client.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/poll_key.h"
#include "ts2021/base/entropy.h"
#include "ts2021/base/time.h"
#include "ts2021/coord/question.h"

namespace ts2021::coord {

class Confirmations {
 public:
  static constexpr std::size_t max_open = 1024;
  static constexpr std::size_t max_per_target = 16;

  enum class State : std::uint8_t { open, granted, denied };
  struct One {
    PendingKind kind{};
    NodeId src{}, dst{};
    std::string ssh_user{}, local_user{};  // of ssh
    State state = State::open;
    Instant until{};
    std::vector<PollKey> waiting{};
  };

  explicit Confirmations(Entropy& entropy) : entropy_(entropy) {}

  // The name of the new one; none: too many wait for this target, or in all.
  [[nodiscard]] std::optional<std::string> begin(One one);
  [[nodiscard]] One* find(const std::string& id);
  void forget(const std::string& id) { open_.erase(id); }
  // Nobody waits there any more.
  void forget(PollKey key);
  void forget(SessionId session);

  // Takes out one whose time has come.
  [[nodiscard]] std::optional<One> pop(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // When a person last vouched for the sessions of this node: that counts for the time of the check period.
  void vouch(NodeId src, UserId owner, Instant now);
  [[nodiscard]] bool vouched(NodeId src, UserId owner, std::chrono::seconds period, Instant now) const;

 private:
  Entropy& entropy_;
  std::map<std::string, One, std::less<>> open_;
  std::map<std::pair<NodeId, UserId>, Instant> vouched_;
};

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// Lets a person decide whether one node may enter another: by SSH in check mode, or to manage it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "coord/confirmations.h"
#include "coord/replies.h"
#include "coord/tailnet.h"
#include "ts2021/coord/config.h"

namespace ts2021::coord {

class Approvals {
 public:
  // `policy` is asked each time, since it may be replaced.
  Approvals(const Tailnet& tailnet, const CoordinatorConfig& config, Entropy& entropy,
            std::function<const Policy&()> policy)
      : tailnet_(tailnet), config_(config), confirmations_(entropy), policy_(std::move(policy)) {}

  [[nodiscard]] Plan plan(const coord_input::Ask& ask, const question::AuthorizeSsh& asked, Now now);
  [[nodiscard]] Plan plan(const coord_input::Ask& ask, const question::BeginWebClient& asked, Now now);
  [[nodiscard]] Plan plan(const coord_input::Ask& ask, const question::AwaitWebClient& asked, Now now);

  // The page's side; without a value there is none of this id here.
  [[nodiscard]] std::optional<answer::Pending> find(const std::string& id);
  [[nodiscard]] Plan plan(const coord_input::Ask& ask, const question::DecidePending& said, Now now);

  void forget(PollKey key) { confirmations_.forget(key); }
  void forget(SessionId session) { confirmations_.forget(session); }
  void advance(Now now, std::vector<CoordEvent>& events);
  [[nodiscard]] std::optional<Instant> next_timeout() const { return confirmations_.next_timeout(); }

 private:
  struct Ends {
    const NodeState* src;
    const NodeState* dst;
  };
  // Both, when they exist and `dst` is a node of the machine that asks.
  [[nodiscard]] std::optional<Ends> ends(const coord_input::Ask& ask, NodeId src, NodeId dst) const;
  [[nodiscard]] std::optional<SSHAction> action_of(const Ends& ends, const std::string& ssh_user,
                                                   const std::string& local_user, Now now) const;
  [[nodiscard]] std::string url(const std::string& id) const { return config_.rules.login_url + "/a/" + id; }
  // What a session is told when its person has decided.
  [[nodiscard]] SSHAction verdict(const Confirmations::One& one, Now now) const;
  void tell(const Confirmations::One& one, Now now, std::vector<CoordEvent>& events) const;

  const Tailnet& tailnet_;
  const CoordinatorConfig& config_;
  Confirmations confirmations_;
  std::function<const Policy&()> policy_;
};

}  // namespace ts2021::coord

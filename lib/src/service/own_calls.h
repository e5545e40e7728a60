// SPDX-License-Identifier: BSD-3-Clause
// Requests of rows that the program answers, and what it is told of them.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "service/boxed.h"
#include "service/call.h"
#include "ts2021/service/own_route.h"

namespace ts2021::service {

class OwnCalls;

struct OwnCall {
  OwnCalls* home;
  std::size_t row;
  Request request;    // views into the connection's, or into `opened`
  OpenedBody opened;  // of a boxed row
  bool taken = false;
};

class OwnCalls {
 public:
  // Offers the request to the program, perhaps after asking who its node is; or answers it itself.
  void begin(Call& call, std::size_t row);
  // The call is over before it was answered: the program is told if it had taken the request.
  void forget(SessionId session, const OpenCall& call);
  void writable(SessionId session, const OpenCall& call);
  void unrouted(own_event::Unrouted request) { events_.push_back({std::move(request), nullptr}); }
  [[nodiscard]] std::optional<OwnEvent> next_event();

 private:
  static void go_on(Exchange& exchange, const answer::Identity& identity, const OwnCall& own);
  void offer(const Exchange& exchange, std::optional<answer::Identity> node);

  struct Queued {
    OwnEvent event;
    std::shared_ptr<OwnCall> call;
  };
  std::deque<Queued> events_;
};

}  // namespace ts2021::service

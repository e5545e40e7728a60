// SPDX-License-Identifier: BSD-3-Clause
// What nodes were told to do and have not yet answered: pings, and requests from control to node (c2n).
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/base/entropy.h"
#include "ts2021/coord/command.h"
#include "ts2021/coord/config.h"
#include "ts2021/coord/event.h"
#include "ts2021/msg/ping.h"

namespace ts2021::coord {

// Each goes to its node under a token of its own (API-130), which the answer brings back, over whatever
// connection of the machine (API-131). A node that does not answer in time has not answered.
class Callbacks {
 public:
  static constexpr std::size_t max_open = 1024;
  static constexpr std::chrono::seconds ping_time{15};  // a client tries for 10 s
  static constexpr std::chrono::seconds call_time{65};  // a client works for at most 60 s

  Callbacks(Entropy& entropy, const CoordinatorConfig& config) : entropy_(entropy), config_(config) {}

  // What the node is to be told, until when. Without a value the command is over: see `why`.
  struct Begun {
    PingRequest request;
    Instant until{};
  };
  struct Refusal {
    int status = 0;
    std::string_view text;
  };
  [[nodiscard]] std::optional<Begun> begin(CommandId command, const coord_command::Ping& order,
                                           const NodeRecord& node, Now now, Refusal& why);
  [[nodiscard]] std::optional<Begun> begin(CommandId command, const coord_command::CallNode& order,
                                           const NodeRecord& node, Now now, Refusal& why);
  // The command could not be sent after all.
  void forget(CommandId command);

  // A node's answer; `machine` is none where it came over the outer site. False: no such token, or another's.
  [[nodiscard]] bool deliver(const question::Deliver& answer, const std::optional<MachinePublic>& machine,
                             std::vector<CoordEvent>& events);

  // Ends what has waited for too long.
  void advance(Instant now, std::vector<CoordEvent>& events);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

 private:
  struct Open {
    CommandId command{};
    MachinePublic machine{};
    bool outside = false;     // the node answers on the outer site, where its token is the proof
    std::size_t missing = 1;  // answers
    bool lines = false;       // each is a line
    Instant until{};
    std::string body{};
  };
  [[nodiscard]] std::optional<Begun> open(Open open, PingRequest request, std::string_view where,
                                          Refusal& why);

  Entropy& entropy_;
  const CoordinatorConfig& config_;
  std::map<std::string, Open, std::less<>> open_;  // by token
};

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// Work that may need the store, and who knows how each kind is done.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "coord/plan.h"
#include "coord/poll_key.h"
#include "ts2021/coord/command.h"
#include "ts2021/coord/input.h"

namespace ts2021::coord {

struct Work {
  enum class Kind : std::uint8_t {
    enroll,   // a register request
    map,      // a map request
    ask,      // a question whose answer needs a write
    order,    // a command
    offline,  // the grace after the last poll has passed
    reap      // an ephemeral node was away for too long
  };
  Kind kind{};
  PollKey from;  // enroll, map, ask
  std::shared_ptr<const RegisterRequest> register_request;
  std::optional<std::chrono::nanoseconds> wait;  // enroll: the machine comes too often, until then
  std::shared_ptr<const MapRequest> map_request;
  std::shared_ptr<const coord_input::Ask> ask;
  std::shared_ptr<const CoordCommand> command;
  NodeId node{};  // offline, reap; map once it is known

  bool cancelled = false;  // nobody waits for the answer
  unsigned attempts = 0;
  Plan plan;  // under way: what to do when it is committed
};

class Worker {
 public:
  // Decides. Called again when another writer was faster.
  [[nodiscard]] virtual Plan plan(Work& work, const MachinePublic& machine) = 0;
  // What was planned is in the store.
  virtual void finish(Work& work, const MachinePublic& machine) = 0;
  // The store does not take it.
  virtual void fail(Work& work, const MachinePublic& machine) = 0;

 protected:
  ~Worker() = default;
};

}  // namespace ts2021::coord

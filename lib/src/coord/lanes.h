// SPDX-License-Identifier: BSD-3-Clause
// Work in the order in which it came, machine by machine: one piece of a machine is under way at a time.
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "coord/tailnet.h"
#include "coord/work.h"

namespace ts2021::coord {

struct Lane {
  std::deque<Work> queue;
  bool busy = false;  // the front waits for the store
};

class Lanes {
 public:
  // Requests of a machine that wait at a time.
  static constexpr std::size_t max_waiting = 256;

  [[nodiscard]] Lane* find(const MachinePublic& machine) {
    const auto at = lanes_.find(machine);
    return at == lanes_.end() ? nullptr : &at->second;
  }
  [[nodiscard]] Lane& of(const MachinePublic& machine) { return lanes_[machine]; }
  void drop_if_empty(const MachinePublic& machine) {
    const auto at = lanes_.find(machine);
    if (at != lanes_.end() && at->second.queue.empty()) lanes_.erase(at);
  }
  // Drops what is not under way; the answer to what is will be dropped.
  template <class Which>
  void cancel(const MachinePublic& machine, Which which) {
    Lane* lane = find(machine);
    if (!lane) return;
    for (auto at = lane->queue.begin(); at != lane->queue.end();) {
      if (!which(*at)) {
        ++at;
      } else if (lane->busy && at == lane->queue.begin()) {
        (at++)->cancelled = true;
      } else {
        at = lane->queue.erase(at);
      }
    }
    drop_if_empty(machine);
  }
  [[nodiscard]] std::vector<MachinePublic> machines() const {
    std::vector<MachinePublic> out;
    for (const auto& [machine, lane] : lanes_) out.push_back(machine);
    return out;
  }

 private:
  std::unordered_map<MachinePublic, Lane, KeyHash<KeyKind::machine>> lanes_;
};

}  // namespace ts2021::coord

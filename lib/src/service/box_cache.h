// SPDX-License-Identifier: BSD-3-Clause
// The box keys of machines that speak TS2019: made once per machine, since making one is 23 times dearer than
// using it.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>

#include "ts2021/key/key.h"
#include "ts2021/legacy/nacl_box.h"

namespace ts2021::service {

// Bounded: the oldest entry makes room. Only machines whose box has opened are kept, so strangers cannot fill
// it.
class BoxCache {
 public:
  static constexpr std::size_t max_machines = 4096;

  // Null when it has none.
  [[nodiscard]] std::shared_ptr<const NaclBox> find(const MachinePublic& machine) const;
  void keep(const MachinePublic& machine, std::shared_ptr<const NaclBox> box);
  [[nodiscard]] std::size_t size() const noexcept { return boxes_.size(); }

 private:
  std::map<MachinePublic, std::shared_ptr<const NaclBox>> boxes_;
  std::deque<MachinePublic> order_;
};

}  // namespace ts2021::service

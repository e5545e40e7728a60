// SPDX-License-Identifier: BSD-3-Clause
#include "service/box_cache.h"

#include <utility>

namespace ts2021::service {

std::shared_ptr<const NaclBox> BoxCache::find(const MachinePublic& machine) const {
  const auto known = boxes_.find(machine);
  return known == boxes_.end() ? nullptr : known->second;
}

void BoxCache::keep(const MachinePublic& machine, std::shared_ptr<const NaclBox> box) {
  if (!boxes_.emplace(machine, std::move(box)).second) return;
  order_.push_back(machine);
  if (order_.size() <= max_machines) return;
  boxes_.erase(order_.front());
  order_.pop_front();
}

}  // namespace ts2021::service

// SPDX-License-Identifier: BSD-3-Clause
#include "service/box_cache.h"

#include <utility>

namespace ts2021::service {

Result<std::shared_ptr<const NaclBox>> BoxCache::find_or_make(const ControlBoxPrivate& self,
                                                              const MachinePublic& machine) const {
  if (const auto known = boxes_.find(machine); known != boxes_.end()) return known->second;
  auto made = NaclBox::between(self, machine);
  if (!made) return made.error();
  return std::shared_ptr<const NaclBox>(std::make_shared<NaclBox>(*std::move(made)));
}

void BoxCache::keep(const MachinePublic& machine, std::shared_ptr<const NaclBox> box) {
  if (!boxes_.emplace(machine, std::move(box)).second) return;
  order_.push_back(machine);
  if (order_.size() <= max_machines) return;
  boxes_.erase(order_.front());
  order_.pop_front();
}

}  // namespace ts2021::service

// SPDX-License-Identifier: BSD-3-Clause
// The middle of a control server: values go between what answers connections, what coordinates and what
// keeps.
#pragma once

#include <array>

#include "ts2021/coord/coordinator.h"
#include "ts2021/coord/store.h"
#include "ts2021/service/control_service.h"

namespace example {

// Carries values between the three until nothing moves. True when anything did.
inline bool settle(ts2021::ControlService& service, ts2021::Coordinator& coordinator, ts2021::Store& store,
                   ts2021::Now now) {
  bool any = false;
  for (bool busy = true; busy; any |= busy) {
    busy = false;
    while (auto input = service.next_input()) {
      coordinator.handle(*input, now);
      busy = true;
    }
    std::array<ts2021::StoreEvent, 16> stored;
    while (const std::size_t count = store.poll(stored)) {
      for (std::size_t i = 0; i < count; ++i) coordinator.on_store(stored[i], now);
      busy = true;
    }
    while (auto event = coordinator.next_event()) {
      (void)service.on_event(*event, now);
      busy = true;
    }
  }
  return any;
}

}  // namespace example

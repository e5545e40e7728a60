// SPDX-License-Identifier: BSD-3-Clause
// What nodes ask of the coordinator.
#include "service/handlers.h"

namespace ts2021::service {

void on_register(Call& call, std::shared_ptr<const RegisterRequest> request) {
  call.submit(coord_input::Register{call.id, call.call_id(), std::move(request)});
}

void on_map(Call& call, std::shared_ptr<const MapRequest> request) {
  call.submit(coord_input::Map{call.id, call.call_id(), std::move(request)});
}

}  // namespace ts2021::service

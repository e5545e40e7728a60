// SPDX-License-Identifier: BSD-3-Clause
// The handlers that endpoints.cc names, by file.
#pragma once

#include <memory>

#include "service/call.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"

namespace ts2021::service {

// handle_site.cc
void on_key(Call& call);
void on_health(Call& call);

// handle_lock.cc: for each request of the tailnet lock
template <class Request>
void on_lock(Call& call, std::shared_ptr<const Request> request);

// handle_node.cc
void on_register(Call& call, std::shared_ptr<const RegisterRequest> request);
void on_map(Call& call, std::shared_ptr<const MapRequest> request);

}  // namespace ts2021::service

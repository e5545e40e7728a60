// SPDX-License-Identifier: BSD-3-Clause
// All hops, in order.
#pragma once

#include <optional>
#include <vector>

#include "ts2021/doctor/node_life.h"
#include "ts2021/doctor/record.h"
#include "ts2021/net/target.h"

namespace ts2021::app {

struct WalkOptions {
  Target target;
  std::optional<std::uint16_t> plain_port, tls_port;  // instead of those of client_ports()
  bool register_node = false;                         // also without an auth key
  LifeOptions life;
};

// `on_record` is called after each hop. Throws std::runtime_error for a bad URL.
[[nodiscard]] std::vector<Record> walk(const WalkOptions& options,
                                       const std::function<void(const Record&)>& on_record);

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// Orders that lay something over what maps say.
#pragma once

#include <optional>

#include "coord/fan_out.h"
#include "ts2021/coord/command.h"

namespace ts2021::coord {

// What became of the order; none: it is not one of these.
[[nodiscard]] std::optional<coord_event::CommandDone> lay_over(const CoordCommand& command,
                                                               CoordinatorConfig& config, Tailnet& tailnet,
                                                               FanOut& fan_out);

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// Orders that change what maps say beside nodes.
#pragma once

#include <optional>

#include "coord/fan_out.h"
#include "ts2021/coord/command.h"

namespace ts2021::coord {

// What became of the order; none: it is not one of these.
[[nodiscard]] std::optional<coord_event::CommandDone> carry_out(const CoordCommand& command,
                                                                CoordinatorConfig& config,
                                                                const Tailnet& tailnet, FanOut& fan_out,
                                                                Now now);

}  // namespace ts2021::coord

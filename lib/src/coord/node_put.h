// SPDX-License-Identifier: BSD-3-Clause
// Takes a Node as an order has it into a record.
#pragma once

#include "coord/plan.h"
#include "ts2021/coord/config.h"
#include "ts2021/msg/node.h"

namespace ts2021::coord {

// The record says from now on what the node says; what records have no place for stays beside it
// (NodeRecord::put). Its id and key are the record's already. A user that is not known is made by the plan.
void put_node(Node node, Tailnet& tailnet, const CoordinatorConfig& config, WallTime now, NodeRecord& record,
              Plan& plan);

}  // namespace ts2021::coord

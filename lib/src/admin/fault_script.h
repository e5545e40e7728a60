// SPDX-License-Identifier: BSD-3-Clause
// One rule of a fault script, from and to JSON.
#pragma once

#include <string>

#include "json/item.h"
#include "ts2021/admin/fault.h"

namespace ts2021::admin {

[[nodiscard]] bool read_rule(const json::Item& item, FaultRule& out);

}  // namespace ts2021::admin

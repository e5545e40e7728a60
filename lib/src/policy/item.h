// SPDX-License-Identifier: BSD-3-Clause
// The values of a policy file know where they stand.
#pragma once

#include "json/item.h"

namespace ts2021::policy {

using json::Item;
using json::quoted;
using json::Refusal;

}  // namespace ts2021::policy

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/coord/policy.h"

#include "ts2021/msg/filter.h"

namespace ts2021 {

ViewClass AllowAll::view_of(const NodeRecord&) const { return ViewClass{}; }
bool AllowAll::sees(ViewClass, const NodeRecord&) const { return true; }
std::vector<FilterRule> AllowAll::packet_filter(ViewClass) const { return {allow_all_rule()}; }

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// Files that say how the tailnet is; they are read again on SIGHUP.
#pragma once

#include <memory>
#include <string>

#include "ts2021/admin/fault.h"
#include "ts2021/policy/policy_file.h"

namespace ts2021 {
struct DERPMap;  // msg/derp.h
}

namespace ts2021::app {

// All throw std::runtime_error that names the file and, for faults and a policy, the line.
[[nodiscard]] std::shared_ptr<const DERPMap> read_derp_map(const std::string& path);
[[nodiscard]] std::shared_ptr<const admin::FaultBook> read_faults(const std::string& path);
[[nodiscard]] std::shared_ptr<const Policy> read_policy(const std::string& path, const PolicyRoles& roles);

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// Changes a JSON text by another: RFC 7396.
#pragma once

#include <string>

#include "json/reader.h"

namespace ts2021::admin {

// What `patch` makes of `target`. Members keep the order of the target, new ones follow in that of the patch.
[[nodiscard]] std::string merge_patch(const json::Value& target, const json::Value& patch);

}  // namespace ts2021::admin

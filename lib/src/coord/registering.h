// SPDX-License-Identifier: BSD-3-Clause
// What both tables of registration answer alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coord/plan.h"
#include "coord/registrar.h"

namespace ts2021::coord {

void answer(Plan& plan, const Registrar::Call& call, RegisterResponse reply);
// Another status than 200.
[[nodiscard]] Plan refused(const Registrar::Call& call, const Refusal& refusal);
// "Business" failures are an answer of status 200 (API-41). `why` is a literal; `text`, if there is one, is
// told instead.
[[nodiscard]] Plan failed(const Registrar::Call& call, std::string_view why, std::string text = {});
// What a node that is in is told.
[[nodiscard]] RegisterResponse success(const NodeRecord& record, const UserRecord& person);

// API-49: the wish of a client only shortens.
void earlier(std::optional<WallTime>& expiry, Time wanted, WallTime now);

[[nodiscard]] std::string_view auth_key_of(const RegisterRequest& request);
[[nodiscard]] std::vector<std::string> wanted_tags(const RegisterRequest& request);

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// What a policy says of one SSH session, as the server must know it in check mode.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "ts2021/coord/policy.h"
#include "ts2021/msg/ssh.h"

namespace ts2021::coord {

// The rule that decides on a session of `src` under these names: the first that matches. A rule is a check
// when its action delegates.
[[nodiscard]] const SSHRule* deciding_rule(const SSHPolicy& policy, const Subject& src,
                                           std::string_view ssh_user, std::string_view local_user,
                                           WallTime now);

// How long a person's word holds: `period=<seconds>` in the rule's own URL, else twelve hours.
[[nodiscard]] std::chrono::seconds check_period(const SSHAction& action);

// The action of a check whose person has said yes: what the rule permits, without a further delegate.
[[nodiscard]] SSHAction granted(const SSHAction& check);

}  // namespace ts2021::coord

// SPDX-License-Identifier: BSD-3-Clause
// What makes an update well-formed, allowed and effective, each as a function of values.
#pragma once

#include <cstdint>

#include "ts2021/base/result.h"
#include "ts2021/lock/state.h"
#include "ts2021/lock/update.h"

namespace ts2021::lock {

// Whether the parts fit the kind (LCK-5). Error bad_lock_update.
[[nodiscard]] Result<void> check(const AUM& update);

// Whether `update` may follow in `state`: signed, by trusted keys only, each signature right (LCK-7).
// Precondition: check(). Errors: untrusted_lock_key, bad_lock_signature, bad_lock_update.
[[nodiscard]] Result<void> verify(const AUM& update, const State& state);

// The effect of an update (LCK-6); on error the state is as before. Precondition: verify(). Errors:
// bad_lock_update, untrusted_lock_key, limit_exceeded.
[[nodiscard]] Result<void> apply(const AUM& update, State& state);

// Votes of the keys that signed it. Precondition: its signatures were verified.
[[nodiscard]] std::uint64_t weight(const AUM& update, const State& state);

}  // namespace ts2021::lock

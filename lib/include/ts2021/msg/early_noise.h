// SPDX-License-Identifier: BSD-3-Clause
// The message inside the early payload.
#pragma once

#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"

namespace ts2021 {

struct EarlyNoise {
  ChallengePublic node_key_challenge;  // zero: none
  friend bool operator==(const EarlyNoise&, const EarlyNoise&) = default;
};
constexpr auto fields(const EarlyNoise*) {
  return std::tuple{Field<"nodeKeyChallenge", &EarlyNoise::node_key_challenge>{}};
}

}  // namespace ts2021

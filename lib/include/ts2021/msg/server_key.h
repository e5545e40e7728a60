// SPDX-License-Identifier: BSD-3-Clause
// The answer of GET /key.
#pragma once

#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"

namespace ts2021 {

// A zero key means that the protocol is not spoken. Both members are always written (SRV rules).
struct ServerKey {
  ControlBoxPublic legacy_public_key;
  ControlNoisePublic public_key;
  friend bool operator==(const ServerKey&, const ServerKey&) = default;
};
constexpr auto fields(const ServerKey*) {
  return std::tuple{always<"legacyPublicKey", &ServerKey::legacy_public_key>,
                    always<"publicKey", &ServerKey::public_key>};
}

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// GET /key: which keys a client of which version is told (SRV rules of lib/WIRE.md).
#pragma once

#include <string>
#include <string_view>

#include "ts2021/key/key.h"

namespace ts2021 {

struct ServerKeySwitches {
  ControlNoisePublic noise;  // the newest; zero: TS2021 is off
  ControlBoxPublic box;      // zero: TS2019 is off
  // Whether the site is reachable as clients 1.24 to 1.28 dial: plain HTTP on the URL's own port, or TLS on
  // 443.
  bool reachable_by_old_noise = true;
};

struct ServerKeyAnswer {
  int status = 200;
  std::string_view content_type;
  std::string body;
};

// `query` is that of the request, without '?'.
[[nodiscard]] ServerKeyAnswer answer_server_key(std::string_view query, const ServerKeySwitches& switches);

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// The URL of a control server.
#pragma once

#include <string>
#include <string_view>

#include "common/socket.h"

namespace ts2021::app {

// "http://host[:port]" or "https://host[:port]".
struct ControlUrl {
  bool tls = false;
  Endpoint endpoint;
  std::string host;  // as in the URL, for Host headers
};

// Throws std::runtime_error: another scheme, a path, user names.
[[nodiscard]] ControlUrl parse_url(std::string_view url);

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// What a program may want to hear of requests that no route takes.
#pragma once

#include <string>
#include <string_view>

#include "ts2021/http/message.h"

namespace ts2021 {

// Answered 404 or 405 by the connection itself, and told only where that is asked for.
struct Unrouted {
  Site site{};
  std::string method, path;  // as they came, hostile text; the path without its query

  static constexpr std::size_t max_method = 16, max_path = 1024;  // bytes; the rest is cut off
  [[nodiscard]] static Unrouted of(Site site, std::string_view method, std::string_view path) {
    return {site, std::string(method.substr(0, max_method)), std::string(path.substr(0, max_path))};
  }
};

}  // namespace ts2021

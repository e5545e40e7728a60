// SPDX-License-Identifier: BSD-3-Clause
// Logins that nodes were told of: who waits behind a URL, and which have been completed.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ts2021/key/key.h"

namespace ts2021::admin {

// The name of a login in its URL: all behind the first "/auth/", else "/a/". Empty: there is none.
[[nodiscard]] std::string_view login_id(std::string_view url) noexcept;

class Logins {
 public:
  static constexpr std::size_t max_kept = 10'000;  // the oldest go

  struct Login {
    NodePublic node;
    std::string url;
    bool completed = false;
  };
  void told(const std::string& url, const NodePublic& node);
  [[nodiscard]] Login* find(std::string_view id);

 private:
  std::map<std::string, Login, std::less<>> logins_;  // by id
  std::deque<std::string> order_;
};

}  // namespace ts2021::admin

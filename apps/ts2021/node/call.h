// SPDX-License-Identifier: BSD-3-Clause
// One request over a session, and its whole answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts2021/net/session.h"

namespace ts2021::app {

struct Call {
  std::string method = "POST";
  std::string path;
  std::string body{};                                          // none: no body is sent
  std::vector<std::pair<std::string, std::string>> headers{};  // lower-case names
};

struct CallLimits {
  std::size_t max_body = 1 << 20;              // bytes of the answer
  std::chrono::milliseconds deadline{10'000};  // until its end; 0: none
};

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // lower-case names; text of the server
  std::vector<std::uint8_t> body;

  [[nodiscard]] std::string_view text() const noexcept { return as_text(body); }
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;  // the first; empty: none
};

// The request has no answer, or too much of one.
class CallError : public std::runtime_error {
 public:
  explicit CallError(Error why, const std::string& more = {});
  [[nodiscard]] Error why() const noexcept { return why_; }

 private:
  Error why_;
};

// Waits until the session is ready. Events of other requests go to `others`. Throws CallError; the request
// is then cancelled, and the session is of use only if its connection has not closed.
[[nodiscard]] Answer call(Session& session, const Call& call, const CallLimits& limits = {},
                          const Session::OnEvent& others = {});

}  // namespace ts2021::app

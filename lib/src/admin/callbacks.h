// SPDX-License-Identifier: BSD-3-Clause
// Requests from control to node that are under way or answered, and the pings that tests have sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "admin/c2n_message.h"
#include "ts2021/base/entropy.h"
#include "ts2021/key/key.h"

namespace ts2021::admin {

class Callbacks {
 public:
  static constexpr std::chrono::minutes kept{10};  // answers
  static constexpr std::size_t max_pings = 10'000;

  struct Call {
    std::string token;  // which the answer brings back
    std::string method;
    NodePublic node;
    MachinePublic machine;
    Instant until{};
    int status = 0;  // 0: under way; 200: answered; 502: not HTTP; 504: too late
    C2nResponse response;
    Instant forget_at{};
  };
  // Its number, from 1; the message that tells the node is in `frame`.
  std::uint64_t begin(const C2nRequest& request, const NodePublic& node, const MachinePublic& machine,
                      Entropy& entropy, Instant now, std::string& frame);
  [[nodiscard]] const Call* find(std::uint64_t id) const;

  // A node's answer. Its call; none: it is not one of these, or another machine's.
  [[nodiscard]] std::optional<std::uint64_t> deliver(std::string_view token, std::string_view body,
                                                     const std::optional<MachinePublic>& machine,
                                                     Instant now);

  // A ping was sent whose answer goes to this URL.
  void pinged(const std::string& url);
  // The URL of the ping whose path ends with the token; null: there is none.
  [[nodiscard]] const std::string* ping(std::string_view token) const;

  // The calls whose time is over by now.
  [[nodiscard]] std::deque<std::uint64_t> advance(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

 private:
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Call> calls_;
  std::map<std::string, std::uint64_t, std::less<>> open_;  // by token
  std::deque<std::string> pings_;
};

}  // namespace ts2021::admin

// SPDX-License-Identifier: BSD-3-Clause
// What a node answers when its server asks it something in a map message.
#pragma once

#include <map>
#include <string>

#include "ts2021/msg/ping.h"

namespace ts2021::app {

// A request that answers a ping.
struct PingReply {
  std::string method, path, body;
  // For people: what was asked, and with which status a c2n is answered.
  std::string asked;
  int status = 0;
};

class C2nAnswers {
 public:
  // "/path=FILE". Throws std::runtime_error.
  void respond(const std::string& rule);

  // `why` says why there is no answer: not for Noise, of a type that needs a data path, unreadable.
  [[nodiscard]] bool answer(const PingRequest& ping, PingReply& reply, std::string& why) const;

 private:
  std::map<std::string, std::string> files_;  // path → body
};

}  // namespace ts2021::app

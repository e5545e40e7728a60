// SPDX-License-Identifier: BSD-3-Clause
// What endpoints ask the coordinator beside register and map requests, and what it answers.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "ts2021/coord/id.h"
#include "ts2021/coord/record.h"
#include "ts2021/key/key.h"

namespace ts2021 {

namespace question {
// Who acts: the node of this key, which must be one of the session's machine. Identity; Refused 404.
struct Identify {
  NodePublic node_key;
};
// A pending interactive login, by the id in its AuthURL. PendingLogin; Refused 404.
struct FindLogin {
  std::string id;
};
// Ends a pending login: as this user, who is made if new, or with a refusal that the node is told.
// Done; Refused 404.
struct DecideLogin {
  std::string id;
  std::string login_name;  // empty: `refusal` counts
  std::string refusal;
};
}  // namespace question
using Question = std::variant<question::Identify, question::FindLogin, question::DecideLogin>;

namespace answer {
struct Done {};
struct Identity {
  RecordPtr holder;  // keeps `node` alive
  const NodeRecord* node = nullptr;
  UserRecord user;   // zero id: not known
  std::string name;  // Node.Name, without the trailing dot
};
// What a person should see before deciding.
struct PendingLogin {
  std::string id;
  std::string hostname, os;  // as the node reports them: hostile text
  NodePublic node_key;
  MachinePublic machine;
};
}  // namespace answer
using AnswerValue = std::variant<answer::Done, answer::Identity, answer::PendingLogin>;

}  // namespace ts2021

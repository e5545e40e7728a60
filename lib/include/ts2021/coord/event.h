// SPDX-License-Identifier: BSD-3-Clause
// What the coordinator tells connections and the program.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ts2021/base/error.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/coord/command.h"
#include "ts2021/coord/id.h"
#include "ts2021/coord/question.h"
#include "ts2021/key/key.h"

namespace ts2021 {

struct RegisterResponse;  // msg/register.h

enum class NoticeKind : std::uint8_t {
  joined,      // registered, for the first time or again
  refused,     // a register or map request was not granted; text says why
  online,      // has a map stream after having had none
  offline,     // its last map stream ended and the grace has passed
  logged_out,  // by its own request
  expired,     // its key's time has come
  removed,     // deleted: ephemeral and inactive, or logged out
  reported,    // a node wants it on record; detail says what
};

namespace coord_event {
struct RegisterReply {  // status 200
  SessionId session{};
  CallId call{};
  std::shared_ptr<const RegisterResponse> reply;
};
// One whole map message, length prefix first. The next one of the call comes after Taken.
struct MapFrame {
  SessionId session{};
  CallId call{};
  SharedPieces pieces;
};
// The body is complete; the call is over. Waits for no Taken.
struct MapEnd {
  SessionId session{};
  CallId call{};
};
// To a question; the call is over.
struct Answer {
  SessionId session{};
  CallId call{};
  AnswerValue value;
};
// An answer other than 200; the call is over.
struct Refused {
  SessionId session{};
  CallId call{};
  int status = 0;
  std::string_view text;  // a literal
  std::optional<std::chrono::seconds> retry_after;
  // Of one who stands between: instead of the text, and beside Retry-After.
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};
// The session broke a rule or takes nothing: close its connection.
struct Drop {
  SessionId session{};
  Error why{};
};
// To a command; each gets exactly one.
struct CommandDone {
  CommandId command{};
  int status = 200;       // as HTTP means it: 404 no such thing, 409 not now, 400 makes no sense, 503 store
  std::string_view text;  // a literal; empty when all is well
  std::string body;       // what the command asked for
};
// For the log of the program; never a secret.
struct Notice {
  NoticeKind kind{};
  NodeId node{};     // 0: not known
  std::string name;  // given name; printable ASCII, may be empty
  MachinePublic machine;
  std::string_view text;  // a literal
  std::string detail{};   // of reported: what the node says, printable ASCII
};
}  // namespace coord_event
using CoordEvent =
    std::variant<coord_event::RegisterReply, coord_event::MapFrame, coord_event::MapEnd, coord_event::Answer,
                 coord_event::Refused, coord_event::Drop, coord_event::CommandDone, coord_event::Notice>;

}  // namespace ts2021

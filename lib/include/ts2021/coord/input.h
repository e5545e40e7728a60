// SPDX-License-Identifier: BSD-3-Clause
// What connections tell the coordinator: values, so that a driver may put a queue in between.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "ts2021/coord/id.h"
#include "ts2021/coord/question.h"
#include "ts2021/key/key.h"

namespace ts2021 {

struct MapRequest;       // msg/map_request.h
struct RegisterRequest;  // msg/register.h

// A session is one connection of a proven machine; a call is one request of a session, and a CallId is used
// once per session.
namespace coord_input {
// After the first good record of a connection; sessions of one machine may overlap.
struct Opened {
  SessionId session{};
  MachinePublic machine;
  Capability capability{};  // of the handshake; requests carry their own
};
// The connection has ended, and all its calls with it. No event of the session follows.
struct Gone {
  SessionId session{};
};
// Answered by RegisterReply or Refused, perhaps much later.
struct Register {
  SessionId session{};
  CallId call{};
  std::shared_ptr<const RegisterRequest> request;
};
// Answered by MapFrame … MapEnd, by MapEnd alone (status 200 without a body), or by Refused.
struct Map {
  SessionId session{};
  CallId call{};
  std::shared_ptr<const MapRequest> request;
};
// Answered by Answer or Refused, perhaps much later. Needs no Opened.
struct Ask {
  SessionId session{};
  CallId call{};
  std::optional<MachinePublic> machine;  // proven; none: asked on the outer site
  Question question;
};
// The client has reset the stream: what has not been applied is dropped, no event of the call follows.
struct Cancelled {
  SessionId session{};
  CallId call{};
};
// The connection has handed all of the call's last MapFrame to records.
struct Taken {
  SessionId session{};
  CallId call{};
};
}  // namespace coord_input
using CoordInput =
    std::variant<coord_input::Opened, coord_input::Gone, coord_input::Register, coord_input::Map,
                 coord_input::Ask, coord_input::Cancelled, coord_input::Taken>;

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// Rows of the program's own, beside the library's endpoints or instead of one: a row without a handler is
// given to the program as an event, and the program answers it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

#include "ts2021/coord/id.h"
#include "ts2021/coord/question.h"
#include "ts2021/http/route.h"
#include "ts2021/http/unrouted.h"
#include "ts2021/key/key.h"

namespace ts2021 {

struct OwnRoute {
  Site site = Site::noise;
  Method method = Method::post;
  std::string_view pattern;        // as Route has it; must outlive the service
  std::size_t max_body = 1 << 20;  // bytes
  // The body is a JSON object whose NodeKey says which node acts: what is no such object is answered 400, a
  // node that does not exist or belongs to another machine 404, before the program hears of it.
  bool names_node = false;
  // TS2019: the first {} of the pattern is the machine, body and answer of status 200 travel in its boxes.
  bool boxed = false;
};

// A request and its answer are named by session and call, as everywhere.
namespace own_event {
struct Request {
  SessionId session{};
  CallId call{};
  std::size_t row = 0;                   // of ServiceConfig::own
  std::optional<MachinePublic> machine;  // proven; none: anybody on the outer site
  std::optional<answer::Identity> node;  // of a row that names one
  // Method, path, arguments, query, headers, body. Views live until ControlService::respond() or
  // start_stream(), or until Gone has come.
  const ts2021::Request* request = nullptr;
};
// The last push() has left: the next one is taken.
struct Writable {
  SessionId session{};
  CallId call{};
};
// Nobody waits for the answer any more. Comes only for a call whose Request was taken and not yet answered.
struct Gone {
  SessionId session{};
  CallId call{};
};
// A request for which there is no row; it is answered already. Comes where ServerConfig::tell_unrouted asks.
struct Unrouted {
  SessionId session{};
  std::optional<MachinePublic> machine;  // proven; none: anybody on the outer site
  ts2021::Unrouted request;
};
}  // namespace own_event
using OwnEvent = std::variant<own_event::Request, own_event::Writable, own_event::Gone, own_event::Unrouted>;

}  // namespace ts2021

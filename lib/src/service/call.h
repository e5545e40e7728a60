// SPDX-License-Identifier: BSD-3-Clause
// What a handler gets: the request, who asks, and ways to answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/box_cache.h"
#include "ts2021/base/time.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/key/key.h"
#include "ts2021/msg/capability.h"
#include "ts2021/msg/codec.h"
#include "ts2021/service/control_service.h"

namespace ts2021::service {

// One request that the coordinator will answer.
struct OpenCall {
  StreamId stream;
  bool streaming = false;  // the head of a map answer has gone out
  bool in_flight = false;  // a frame has not left the connection yet
  // The request keeps its share of the connection's window until the coordinator has dealt with it: this
  // bounds what one connection can have waiting there.
  bool released = false;
};

struct Session {
  ServerConnection* connection = nullptr;
  MachinePublic machine;  // of the handshake, proven from the first request inside Noise on; or of the box
  ProtocolVersion version{};
  bool opened = false;         // the coordinator knows this session
  ChallengePrivate challenge;  // its public half went out in the early payload; zero: none did
  std::vector<OpenCall> calls;
  std::shared_ptr<const NaclBox> box;  // TS2019: answers leave in it
};

struct Call {
  const Request& request;  // views die when the handler returns
  SessionId id;
  Session& session;
  const ServiceConfig& config;
  std::vector<CoordInput>& inputs;
  BoxCache& boxes;
  Now now;

  [[nodiscard]] Capability capability() const noexcept { return static_cast<Capability>(session.version); }
  // On HTTP/2 and on the outer site alike a stream is used for one request.
  [[nodiscard]] CallId call_id() const noexcept {
    return static_cast<CallId>(static_cast<std::uint64_t>(request.stream));
  }

  void reply(int status, std::string_view content_type, std::string_view body,
             std::span<const Header> more = {}) const {
    const ResponseHead head{status, content_type, more};
    (void)session.connection->respond(request.stream, head, share(body));  // gone streams need no answer
  }
  // A short text for people; errors always end so.
  void reply_text(int status, std::string_view text) const {
    constexpr Header more[] = {{"X-Content-Type-Options", "nosniff"}};
    reply(status, "text/plain; charset=utf-8", std::string(text) + "\n", more);
  }
  template <class Message>
  void reply_json(const Message& message) const {
    std::string body;
    encode(message, capability(), body);
    reply(200, "application/json", body);
  }
  // Hands the request to the coordinator; its answer comes as an event.
  void submit(CoordInput input) const {
    if (!session.opened) {  // HSK-10: the first request inside Noise proves the machine
      session.opened = true;
      inputs.push_back(coord_input::Opened{id, session.machine, capability()});
    }
    session.calls.push_back({request.stream});
    inputs.push_back(std::move(input));
  }
};

}  // namespace ts2021::service

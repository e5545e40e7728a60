// SPDX-License-Identifier: BSD-3-Clause
// Joins connections to coordination: answers what a connection asks, by one table of endpoints.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ts2021/base/entropy.h"
#include "ts2021/base/result.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/base/time.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/http/route.h"
#include "ts2021/key/key.h"
#include "ts2021/msg/primitives.h"
#include "ts2021/service/own_route.h"
#include "ts2021/service/server_key.h"
#include "ts2021/service/token_key.h"

namespace ts2021 {

struct ServiceConfig {
  ServerKeySwitches key;  // what GET /key answers
  const ControlBoxPair* box =
      nullptr;                  // opens the requests of TS2019; null: it is off. Must outlive the service
  bool early_challenge = true;  // a node-key challenge in the early payload; costs one X25519 per connection
  std::string url;              // of the outer site, without a slash at its end; the issuer of tokens
  const TokenKey* token_key = nullptr;  // signs them; null: it gives none. Must outlive the service
  // What /bootstrap-dns tells who can look up no names.
  std::map<std::string, std::vector<IpAddress>> bootstrap_dns;
  std::vector<OwnRoute> own;  // rows that the program answers; each wins over the library's like it
};

// Belongs to the thread of its connections. Speaks to the coordinator in values only, so that a queue may be
// in between: next_input() out, on_event() in.
class ControlService {
 public:
  ControlService(const ServiceConfig& config, Entropy& entropy);
  ~ControlService();

  // The rows that a ServerConfig of these connections must have; they live for ever.
  [[nodiscard]] static std::span<const Route> routes() noexcept;
  // The same with rows of the program's own, which the caller keeps. Error misuse: a pattern that matches
  // nothing, a method that is none, or more rows than a RouteId can name.
  [[nodiscard]] static Result<std::vector<Route>> routes(std::span<const OwnRoute> own);

  // A new connection, named by the caller; both must live until detach(), which follows Closed. So must the
  // tracer of the connection, if there is one: it is told what was in the boxes of TS2019.
  void attach(SessionId session, ServerConnection& connection, Tracer* tracer = nullptr);
  void detach(SessionId session);

  // Every event of the connection but Closed.
  void handle(SessionId session, const ServerEvent& event, Now now);

  // Ends the open map streams of a connection and then the connection itself, in good order.
  void drain(SessionId session, Now now);

  // For the coordinator, in order; until empty.
  [[nodiscard]] std::optional<CoordInput> next_input();
  // From the coordinator. Returns the session whose connection has something to send.
  std::optional<SessionId> on_event(const CoordEvent& event, Now now);

  // For the program, about its own rows; look after handle() and after on_event(), until empty.
  [[nodiscard]] std::optional<OwnEvent> next_own_event();
  // Its answers, like those of a ServerConnection: one respond(), or start_stream(), push() … end_stream().
  // Error misuse: no such call is open (it may just have gone), or a stream in a boxed row.
  Result<void> respond(SessionId session, CallId call, const ResponseHead& head, SharedBytes body);
  Result<void> start_stream(SessionId session, CallId call, const ResponseHead& head);
  Result<Pushed> push(SessionId session, CallId call, std::span<const SharedBytes> pieces, Now now);
  Result<void> end_stream(SessionId session, CallId call);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
// A node's life above one connection: register, then one long map poll. Also asks for the server's keys.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ts2021/base/entropy.h"
#include "ts2021/base/result.h"
#include "ts2021/base/time.h"
#include "ts2021/client/envelope.h"
#include "ts2021/conn/client_connection.h"
#include "ts2021/key/key.h"
#include "ts2021/msg/hostinfo.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_response.h"
#include "ts2021/msg/register.h"
#include "ts2021/msg/server_key.h"

namespace ts2021 {

struct NodeClientConfig {
  Capability capability = newest_capability;
  NodePublic node_key;
  NodePublic old_node_key;  // the one before; zero: none
  DiscoPublic disco_key;
  std::string auth_key;  // may be empty
  Hostinfo hostinfo;
  std::vector<IpPort> endpoints;
  int home_derp = 0;
  bool ephemeral = false;
  bool zstd = true;
  bool registers = true;                        // false: the map is asked for at once
  bool log_out = false;                         // registers with an expiry in the past, then nothing more
  bool stream = true;                           // false: one map message, then the end
  bool omit_peers = false, read_only = false;   // of the map request (MAP-20)
  MapFrameLimits limits{};                      // of map messages
  std::chrono::milliseconds deadline{60'000};   // until a register request or one beside the poll is answered
  std::chrono::milliseconds watchdog{120'000};  // silence on the map poll (wire.md §7.5)
};

namespace node_event {
struct Registered {
  RegisterResponse response;
};
struct MapUpdate {
  MapResponse response;   // keep-alives too
  std::string_view json;  // as it came, until the next call
  std::size_t packed;     // bytes of it on the wire, without the size in front
};
// The server said no: a status other than 200, or RegisterResponse.Error. Text of the server: not to be
// trusted.
struct Refused {
  std::string_view what;  // a literal: "register" or "map"
  int status;
  std::string text;  // at most 200 bytes
  std::optional<std::chrono::seconds> retry_after{};
};
// Of a request beside the poll. `failed`: no answer, or too much of one; the poll goes on.
struct Answered {
  StreamId stream;
  int status;
  std::string body;  // at most 1 MiB
  std::optional<Error> failed;
};
struct LoginNeeded {
  std::string url;
};
struct Ended {  // the connection or the poll is over, or its content is unusable
  Error why;
};
}  // namespace node_event
using NodeEvent = std::variant<node_event::Registered, node_event::MapUpdate, node_event::Refused,
                               node_event::LoginNeeded, node_event::Answered, node_event::Ended>;

// Drives one ClientConnection that it does not own: give it every event of the connection, and take the
// events that follow from it.
class NodeClient {
 public:
  // Inside Noise.
  explicit NodeClient(NodeClientConfig config);
  // Either protocol; by TS2019 over a connection in http1 mode. `entropy` must outlive the client.
  NodeClient(NodeClientConfig config, Envelope envelope, Entropy& entropy);
  ~NodeClient();

  void handle(ClientConnection& connection, const ClientEvent& event, Now now);
  void handle_timeout(ClientConnection& connection, Now now);

  // Any request beside the poll, ends in Answered. Errors: those of ClientConnection::request(). TS2019 has
  // one request at a time on a connection: misuse while the poll is open.
  [[nodiscard]] Result<StreamId> request(ClientConnection& connection, const ClientCall& call,
                                         SharedBytes body, Now now);
  // Tells the server other endpoints and another home relay (MAP-37). The body of what is Answered is empty.
  [[nodiscard]] Result<StreamId> update(ClientConnection& connection, std::vector<IpPort> endpoints,
                                        int home_derp, Now now);
  [[nodiscard]] std::optional<NodeEvent> next_event();
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// GET /key over a ClientConnection in http1 mode: the path to ask for, and the reading of its whole answer.
// Errors: bad_json, missing_field when neither key is there, limit_exceeded above 64 KiB.
[[nodiscard]] std::string server_key_path(Capability capability);
[[nodiscard]] Result<ServerKey> read_server_key(int status, Bytes body);

}  // namespace ts2021

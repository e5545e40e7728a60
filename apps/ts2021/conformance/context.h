// SPDX-License-Identifier: BSD-3-Clause
// What checks share: the server, the rate, connections of every height, and nodes that leave when all is
// done.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "ts2021/conformance/check.h"
#include "ts2021/conformance/http2_peer.h"
#include "ts2021/conformance/noise_peer.h"
#include "ts2021/conformance/raw.h"
#include "ts2021/msg/capability.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"
#include "ts2021/msg/server_key.h"
#include "ts2021/net/dial.h"
#include "ts2021/node/call.h"

namespace ts2021::app::conformance {

struct Plan {
  ControlUrl url;
  DialOptions dial;
  Capability version = newest_capability;
  std::string auth_key;
  double rate = 50;  // connections and requests a second
  bool hostile = false, slow = false;
};

// A node that the server may know.
struct TestNode {
  MachineKeyPair machine;
  NodePrivate node;
  DiscoPrivate disco;
  std::string hostname;
  std::unique_ptr<Session> session;
  std::optional<RegisterResponse> registered;  // of the answer that let it in
  std::string registered_json;
};

struct Exchange {
  HttpAnswer answer;
  std::string state;  // of the connection afterwards
};

// Whether the server is there.
struct Life {
  std::string gone;        // what came in place of a good handshake; empty: it worked
  bool restarted = false;  // it has another key, or nobody listened for a while
};

class Context {
 public:
  explicit Context(Plan plan);

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
  [[nodiscard]] const std::string& host() const noexcept { return plan_.url.host; }
  [[nodiscard]] const Patience& patience() const noexcept { return patience_; }
  [[nodiscard]] Entropy& entropy() noexcept { return entropy_; }
  [[nodiscard]] const Traffic& traffic() const noexcept { return traffic_; }
  [[nodiscard]] std::uint64_t paced() const noexcept { return paced_; }
  // Waits for its turn; before each connection and request.
  void pace();

  // Throws DialError.
  [[nodiscard]] RawConnection connect();
  // One request on a connection of its own, which is then read to its end if the server ends it at once.
  [[nodiscard]] Exchange ask(std::string_view request);

  // GET /key of the plan's version, once. Throws Obstacle.
  [[nodiscard]] const ServerKey& keys();
  [[nodiscard]] const ControlNoisePublic& noise_key();
  // The NaCl key, as old clients learn it; zero: none.
  [[nodiscard]] ControlBoxPublic box_key();

  [[nodiscard]] const MachineKeyPair& stranger() const noexcept { return stranger_; }
  [[nodiscard]] Initiation initiation(const FalseKeys& keys = {}) {
    return {entropy_, stranger_, noise_key(), version(), keys};
  }
  [[nodiscard]] ProtocolVersion version() const noexcept {
    return static_cast<ProtocolVersion>(plan_.version);
  }
  // Sends the upgrade and reads the 101 and message 2. Throws Obstacle.
  [[nodiscard]] RecordStream open_noise(ProtocolVersion version, const MachineKeyPair& machine);
  [[nodiscard]] RecordStream open_noise() { return open_noise(version(), stranger_); }
  // With both greetings behind it.
  [[nodiscard]] Http2Peer open_http2(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings = {
                                         {h2::enable_push, 0}});
  // A fresh good handshake. After a restart no node is in.
  [[nodiscard]] Life life();
  [[nodiscard]] bool takes_websocket();

  [[nodiscard]] TestNode& fresh_node();  // unknown to the server; lives as long as this
  // The first and the second node that are in. Throws Obstacle.
  [[nodiscard]] TestNode& node() { return joined(0); }
  [[nodiscard]] TestNode& other_node() { return joined(1); }
  [[nodiscard]] RegisterRequest register_request(const TestNode& node, bool with_auth_key = true) const;
  [[nodiscard]] MapRequest map_request(const TestNode& node) const;
  // The map request of a node that nobody knows: a body that every server answers and none acts on.
  [[nodiscard]] std::string harmless_body() { return encoded(map_request(fresh_node()), plan_.version); }
  // Over the node's own session. Throws CallError, DialError.
  [[nodiscard]] Answer call(TestNode& node, Call call);
  // Keeps what the answer says in the node.
  Answer send_register(TestNode& node, const RegisterRequest& request);
  // Logs out all nodes that got in; of those that stay the host names. They are ephemeral in any case.
  [[nodiscard]] std::vector<std::string> log_out();

 private:
  [[nodiscard]] TestNode& joined(std::size_t index);

  Plan plan_;
  Patience patience_;
  SystemEntropy entropy_;
  Traffic traffic_;
  MachineKeyPair stranger_;
  Instant next_turn_{};
  std::uint64_t paced_ = 0;
  std::optional<ServerKey> keys_;
  std::optional<bool> websocket_;
  std::list<TestNode> nodes_;
  std::vector<TestNode*> joined_;
  std::string why_none_;
};

// The native upgrade as the official client sends it.
[[nodiscard]] std::string upgrade_request(std::string_view host, Bytes initiation);
// Message 2 or whatever stands in its place, up to its size.
[[nodiscard]] std::vector<std::uint8_t> read_response(RawConnection& connection);

}  // namespace ts2021::app::conformance

// SPDX-License-Identifier: BSD-3-Clause
// A node's way to its server, by TS2021 or TS2019.
#pragma once

#include <memory>
#include <optional>

#include "ts2021/client/envelope.h"
#include "ts2021/msg/capability.h"
#include "ts2021/msg/server_key.h"
#include "ts2021/net/target.h"
#include "ts2021/node/call.h"
#include "ts2021/node/state.h"

namespace ts2021::app {

enum class Protocol { ts2019, ts2021 };
[[nodiscard]] const char* name(Protocol protocol) noexcept;

// The last version whose clients knew TS2019.
inline constexpr unsigned last_boxed_capability = 88;

struct NodeTarget : Target {
  std::optional<Protocol> protocol;  // none: TS2021 if the server has a key for it
  bool websocket = false;
  std::string state;  // path of the state file; empty: new keys every time
};
// Those of add_target(), --protocol, --websocket and --state.
void add_node_target(CLI::App& command, NodeTarget& target);

class NodeLink {
 public:
  // Asks for the server's keys. The target and the machine key must outlive the link. Throws
  // std::runtime_error, also when the server does not speak the protocol.
  NodeLink(const NodeTarget& target, const MachineKeyPair& machine);

  [[nodiscard]] Protocol protocol() const noexcept { return protocol_; }
  [[nodiscard]] Capability capability() const noexcept { return capability_; }
  [[nodiscard]] const ServerKey& server_key() const noexcept { return key_; }
  [[nodiscard]] Envelope& envelope() noexcept { return envelope_; }
  // Dials if there is no session, or none that can be used any more. Throws DialError.
  [[nodiscard]] Session& session();
  // A session beside it, for TS2019, which has one request at a time on a connection.
  [[nodiscard]] std::unique_ptr<Session> another_session() const;

  // As ts2021::app::call(); by TS2019 paths as TS2021 has them are translated, and bodies boxed. Other paths
  // go out as they are. Throws CallError, DialError.
  [[nodiscard]] Answer call(Call call, const CallLimits& limits = {}, const Session::OnEvent& others = {});

 private:
  const NodeTarget& target_;
  const MachineKeyPair& machine_;
  ServerKey key_;
  Protocol protocol_{};
  Capability capability_;
  Envelope envelope_;
  std::unique_ptr<Session> session_;
};

}  // namespace ts2021::app

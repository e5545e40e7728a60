// SPDX-License-Identifier: BSD-3-Clause
// What the owner of a tailnet orders: values, like inputs; each is answered by one CommandDone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ts2021/base/time.h"
#include "ts2021/coord/config.h"
#include "ts2021/coord/id.h"
#include "ts2021/coord/test_mode.h"
#include "ts2021/msg/primitives.h"
#include "ts2021/msg/small.h"

namespace ts2021 {

enum class CommandId : std::uint64_t {};  // named by the caller; opaque here

namespace coord_command {
// Ends a pending interactive login as this user, who is made if new. The id is the one in its AuthURL.
struct CompleteLogin {
  std::string id;
  std::string login_name;
};
struct FailLogin {
  std::string id;
  std::string text;  // what the node's user is told
};
struct ApproveNode {
  NodeId node{};
  bool approved = true;
};
// In the past: the node must log in again, reversibly; none: never.
struct SetExpiry {
  NodeId node{};
  std::optional<WallTime> at;
};
struct DeleteNode {
  NodeId node{};
};
struct RenameNode {
  NodeId node{};
  std::string name;  // one label; empty: made from the hostname again
};
struct SetTags {
  NodeId node{};
  std::vector<std::string> tags;  // empty: the user's again
};
struct ApproveRoutes {
  NodeId node{};
  std::vector<IpPrefix> routes;  // all that are permitted from now on
};
struct SetCapabilities {
  NodeId node{};
  CapMap capabilities;  // all that are given from now on
};
struct AddAuthKey {
  PresetAuthKey key;
};
struct RevokeAuthKey {
  std::string secret;
};
struct SetPolicy {
  std::shared_ptr<const Policy> policy;
};
struct SetDERPMap {
  std::shared_ptr<const DERPMap> derp_map;  // null: no relays
};
struct SetDns {
  DnsSettings dns;
};
struct SetMessages {  // shown by clients; none takes one away
  NodeId node{};      // 0: every node
  std::map<std::string, std::optional<DisplayMessage>> messages;
};
struct SetClientVersion {
  std::optional<ClientVersion> version;
};
struct SetDialPlan {
  std::optional<ControlDialPlan> plan;
};
struct OpenBrowser {
  NodeId node{};
  std::string url;
};
// Makes the node ping an address; done with each answer in `body`, one PingResponse per line.
struct Ping {
  NodeId node{};
  IpAddress target;   // none: the node answers to the server itself
  std::string types;  // "disco", "TSMP", "ICMP", "peerapi", comma-separated
};
// c2n: an HTTP/1.1 request that the node answers; `body` is its whole response.
struct CallNode {
  NodeId node{};
  std::string request;
};
}  // namespace coord_command
using CoordOrder = std::variant<
    coord_command::CompleteLogin, coord_command::FailLogin, coord_command::ApproveNode,
    coord_command::SetExpiry, coord_command::DeleteNode, coord_command::RenameNode, coord_command::SetTags,
    coord_command::ApproveRoutes, coord_command::SetCapabilities, coord_command::AddAuthKey,
    coord_command::RevokeAuthKey, coord_command::SetPolicy, coord_command::SetDERPMap, coord_command::SetDns,
    coord_command::SetMessages, coord_command::SetClientVersion, coord_command::SetDialPlan,
    coord_command::OpenBrowser, coord_command::Ping, coord_command::CallNode,
    // test_mode.h
    coord_command::SetRules, coord_command::PutNode, coord_command::AddFakeNodes,
    coord_command::OverrideRoutes, coord_command::OverrideCapabilities, coord_command::SetUnsignedPeerApiOnly,
    coord_command::SetJailed, coord_command::SetMasquerades, coord_command::SetAppCaps,
    coord_command::SetSshPolicy, coord_command::SetDnsConfig, coord_command::AddDnsRecords>;
struct CoordCommand {
  CommandId id{};
  CoordOrder order;
  // In test mode every open poll gets a whole map once the order is carried out, also when nothing in it has
  // changed.
  bool wake = true;
};

}  // namespace ts2021

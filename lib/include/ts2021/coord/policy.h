// SPDX-License-Identifier: BSD-3-Clause
// Who sees whom, who may reach whom and who may do what: pure questions about records; a policy is replaced
// whole.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/coord/id.h"
#include "ts2021/coord/record.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

struct FilterRule;  // msg/filter.h
struct SSHPolicy;   // msg/ssh.h

// A node as a policy sees it. Of the record only these count: id, user, tags, addresses, approved and
// advertised routes, hostinfo's OS and `attributes`. Answers change only when one of them does, or the login.
struct Subject {
  const NodeRecord& node;
  std::string_view login;  // of its user; what `tags` mean is not taken away from it here
};

// Immutable to those who ask; one thread at a time, since view classes may be numbered as they are asked for.
// The same question always has the same answer.
//
// A policy never lists the members of a group in what it tells one node: it names them by a source
// capability, which the coordinator gives to its bearers (and spells out for clients that don't know it), so
// that nodes come and go without any question being asked again.
class Policy {
 public:
  virtual ~Policy() = default;
  // Nodes of one class see the same peers.
  [[nodiscard]] virtual ViewClass view_of(const Subject& node) const = 0;
  // Whether viewers of the class have this node in their maps (nobody is asked about himself).
  [[nodiscard]] virtual bool sees(ViewClass viewer, const Subject& peer) const = 0;
  // What the node lets in; empty blocks everything. Sources are literal, or "cap:" and the name of a source
  // capability.
  [[nodiscard]] virtual std::vector<FilterRule> packet_filter(const Subject& node) const = 0;
  // The source capabilities that the node bears, without "cap:". They stand in its CapMap wherever it is a
  // peer.
  [[nodiscard]] virtual std::vector<std::string> source_capabilities(const Subject& node) const;
  // Capabilities that the node itself gets beyond those that every node has.
  [[nodiscard]] virtual CapMap node_attributes(const Subject& node) const;
  // Who may open SSH sessions on the node; none: nothing is said about SSH. Asked again when somebody in
  // `everybody` has changed.
  [[nodiscard]] virtual std::optional<SSHPolicy> ssh_policy(const Subject& node,
                                                            std::span<const Subject> everybody) const;
  // Whether a user, or a node that bears `owner_tags`, may make a node bear `tag` ("tag:x").
  [[nodiscard]] virtual bool may_tag(std::string_view login, std::span<const std::string> owner_tags,
                                     std::string_view tag) const;
  // Whether a route that the node advertises is approved without asking anybody.
  [[nodiscard]] virtual bool approves_route(const Subject& node, const IpPrefix& route) const;
};

// One class; everybody sees and reaches everybody, everybody may bear every tag, routes wait for approval.
class AllowAll final : public Policy {
 public:
  [[nodiscard]] ViewClass view_of(const Subject& node) const override;
  [[nodiscard]] bool sees(ViewClass viewer, const Subject& peer) const override;
  [[nodiscard]] std::vector<FilterRule> packet_filter(const Subject& node) const override;
  [[nodiscard]] bool may_tag(std::string_view login, std::span<const std::string> owner_tags,
                             std::string_view tag) const override;
};

}  // namespace ts2021

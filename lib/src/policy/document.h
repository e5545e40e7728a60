// SPDX-License-Identifier: BSD-3-Clause
// A policy file as values: what its sections say, with every name resolved.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policy/selector.h"
#include "policy/traffic.h"
#include "ts2021/msg/primitives.h"

namespace ts2021::policy {

using Selectors = std::vector<SelectorId>;  // each once, as the file has them

struct Target {
  SelectorId who{};
  std::vector<PortRange> ports;  // empty: those of the traffic
};

// A member of `acls` or `grants`.
struct Rule {
  Selectors sources;
  std::vector<Target> targets;
  std::vector<Traffic> traffic;  // empty: the rule opens nothing, it only grants `app`
  CapMap app;
};

struct SshRule {
  Selectors sources, targets;
  std::map<std::string, std::string> users;   // as SSHRule::ssh_users
  std::vector<std::string> local_of_domains;  // users with a login of the domain may be their local part
  bool check = false;
  std::chrono::seconds check_period = std::chrono::hours{12};  // 0: always
  std::vector<std::string> accept_env;
  Selectors recorders;
  bool enforce_recorder = false;
};

struct NodeAttributes {
  Selectors targets;
  CapMap capabilities;
};

struct Document {
  explicit Document(const PolicyRoles& roles) : vocabulary(roles) {}

  Vocabulary vocabulary;
  std::vector<Rule> rules;
  bool has_ssh = false;
  std::vector<SshRule> ssh;
  std::map<std::string, Selectors, std::less<>> tag_owners;
  Selectors tag_admins;  // may use every tag
  std::vector<std::pair<IpPrefix, Selectors>> route_approvers;
  Selectors exit_approvers;
  std::vector<NodeAttributes> attributes;
  std::size_t entries_left = PolicyFile::max_entries;

  // False when it is too much.
  [[nodiscard]] bool spend(std::size_t entries) noexcept {
    if (entries > entries_left) return false;
    entries_left -= entries;
    return true;
  }
  // What a selector counts for: its ranges, or 1.
  [[nodiscard]] std::size_t weight(SelectorId id) const {
    return std::max<std::size_t>(vocabulary.at(id).addresses.count(), 1);
  }
};

}  // namespace ts2021::policy

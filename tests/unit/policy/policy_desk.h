// SPDX-License-Identifier: BSD-3-Clause
// A few nodes under a policy file, and its answers as short texts.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"
#include "ts2021/msg/filter.h"
#include "ts2021/msg/hostinfo.h"
#include "ts2021/msg/ssh.h"
#include "ts2021/policy/policy_file.h"

namespace ts2021::test {

// "3:14 what is wrong", or empty when the file is taken.
inline std::string refusal(std::string_view text, const PolicyRoles& roles = {}) {
  const PolicyResult result = PolicyFile::parse(text, roles);
  if (result) return {};
  return std::to_string(result.error.line) + ":" + std::to_string(result.error.column) + " " +
         result.error.message;
}

inline std::shared_ptr<const Policy> policy(std::string_view text, const PolicyRoles& roles = {}) {
  const PolicyResult result = PolicyFile::parse(text, roles);
  INFO(result.error.line << ":" << result.error.column << " " << result.error.message);
  REQUIRE(result);
  return result.policy;
}

inline std::string joined(const std::vector<std::string>& parts, std::string_view between = " ") {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : std::string(between)) + part;
  return out;
}

// "a,b -> ip:22 ip:80-90 /6" for connections, "a,b => prefix cap=[values]" for grants.
inline std::string text(const FilterRule& rule) {
  std::vector<std::string> out{joined(rule.src_ips, ",")};
  out.emplace_back(rule.cap_grant.empty() ? "->" : "=>");
  for (const auto& [ip, ports] : rule.dst_ports) {
    const bool all = ports == PortRange{};
    const std::string first = std::to_string(ports.first), last = std::to_string(ports.last);
    out.push_back(ip + ":" + (all ? "*" : first == last ? first : first + "-" + last));
  }
  for (const CapGrant& grant : rule.cap_grant) {
    for (const IpPrefix& dst : grant.dsts) out.push_back(dst.text());
    for (const auto& [name, values] : grant.cap_map) {
      std::vector<std::string> list;
      for (const RawJson& value : values) list.emplace_back(value.text());
      out.push_back(name + "=[" + joined(list, ",") + "]");
    }
  }
  for (const int protocol : rule.ip_proto) out.push_back("/" + std::to_string(protocol));
  return joined(out);
}

// "[check] alice@x,node:n3: *:= root: env=A_*"
inline std::string text(const SSHRule& rule) {
  std::vector<std::string> who;
  for (const SSHPrincipal& one : rule.principals)
    who.push_back(one.any ? "any" : one.node.empty() ? one.user_login : "node:" + one.node);
  std::vector<std::string> out{rule.action.accept             ? "[accept]"
                               : rule.action.reject           ? "[reject]"
                               : !rule.action.message.empty() ? "[check]"
                                                              : "[deny]",
                               joined(who, ",") + ":"};
  for (const auto& [from, to] : rule.ssh_users) out.push_back(from + ":" + to);
  for (const std::string& name : rule.accept_env) out.push_back("env=" + name);
  for (const IpPort& recorder : rule.action.recorders) out.push_back("rec=" + recorder.text());
  return joined(out);
}

class Desk {
 public:
  Desk() = default;
  explicit Desk(std::string_view file, const PolicyRoles& roles = {}) : policy_(policy(file, roles)) {}

  // Named by the last number of its address, 100.64.0.<n>; without tags it is its user's.
  void node(unsigned n, std::string_view login, std::vector<std::string> tags = {},
            const std::vector<std::string>& routes = {}) {
    NodeRecord& record = nodes_[n];
    record.id = NodeId{n};
    record.stable_id = "n" + std::to_string(n);
    record.v4 = Ipv4Address{0x64400000u + n};
    record.tags = std::move(tags);
    auto hostinfo = std::make_shared<Hostinfo>();
    for (const auto& route : routes) hostinfo->routable_ips.push_back(*IpPrefix::parse(route));
    record.approved_routes = hostinfo->routable_ips;
    record.hostinfo = std::move(hostinfo);
    std::string& name = logins_.emplace_back(login);
    record.user = UserId{users_.emplace(name, users_.size() + 1).first->second};
    subjects_.emplace(n, Subject{record, name});
    everybody_.push_back({record, name});
  }

  [[nodiscard]] const Policy& rules() const { return *policy_; }
  void use(std::shared_ptr<const Policy> policy) { policy_ = std::move(policy); }
  [[nodiscard]] const Subject& at(unsigned n) const { return subjects_.at(n); }
  [[nodiscard]] NodeRecord& record(unsigned n) { return nodes_.at(n); }

  [[nodiscard]] bool sees(unsigned viewer, unsigned peer) const {
    return policy_->sees(policy_->view_of(at(viewer)), at(peer));
  }
  // The numbers of the peers that a node sees.
  [[nodiscard]] std::string seen(unsigned viewer) const {
    std::vector<std::string> out;
    for (const auto& [n, subject] : subjects_)
      if (n != viewer && sees(viewer, n)) out.push_back(std::to_string(n));
    return joined(out);
  }
  // The rules of a node's filter; each is valid on the wire.
  [[nodiscard]] std::vector<std::string> filter(unsigned n) const {
    std::vector<std::string> out;
    for (const FilterRule& rule : policy_->packet_filter(at(n))) {
      CHECK(valid(rule));
      out.push_back(text(rule));
    }
    return out;
  }
  [[nodiscard]] std::string bears(unsigned n) const { return joined(policy_->source_capabilities(at(n))); }
  [[nodiscard]] std::vector<std::string> ssh(unsigned n) const {
    std::vector<std::string> out;
    const auto answer = policy_->ssh_policy(at(n), everybody_);
    REQUIRE(answer);
    for (const SSHRule& rule : answer->rules) out.push_back(text(rule));
    return out;
  }

 private:
  std::shared_ptr<const Policy> policy_ = std::make_shared<AllowAll>();
  std::map<unsigned, NodeRecord> nodes_;
  std::deque<std::string> logins_;
  std::map<std::string, std::uint64_t, std::less<>> users_;
  std::map<unsigned, Subject> subjects_;
  std::vector<Subject> everybody_;
};

using Lines = std::vector<std::string>;

}  // namespace ts2021::test

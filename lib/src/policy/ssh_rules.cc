// SPDX-License-Identifier: BSD-3-Clause
// Who may open SSH sessions on one node.
#include <algorithm>
#include <set>

#include "policy/compiled_policy.h"
#include "ts2021/msg/ssh.h"

namespace ts2021::policy {
namespace {

constexpr std::uint16_t recorder_port = 80;
// The client fills in the names behind the dollar signs and asks there over Noise (API-128); the server finds
// its own period there.
constexpr std::string_view delegate =
    "https://unused/machine/ssh/action/from/$SRC_NODE_ID/to/$DST_NODE_ID"
    "?ssh_user=$SSH_USER&local_user=$LOCAL_USER&period=";  // and seconds

class SshWriter {
 public:
  SshWriter(const Document& document, const Matcher& matcher, const Subject& node,
            std::span<const Subject> everybody)
      : document_(document), matcher_(matcher), everybody_(everybody) {
    const Traits who = traits_of(node, false);
    user_ = who.user;
    matching_ = matcher.sources(who);
  }

  [[nodiscard]] SSHPolicy write() {
    for (const SshRule& rule : document_.ssh) {
      users_.clear();
      nodes_.clear();
      for (const SelectorId target : rule.targets) add_sources(rule, target);
      if (users_.empty() && nodes_.empty()) continue;
      write(rule);
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] Kind kind(SelectorId id) const { return document_.vocabulary.at(id).kind; }
  [[nodiscard]] bool is_mine(SelectorId id) const {
    return std::binary_search(matching_.begin(), matching_.end(), id);
  }

  void add_sources(const SshRule& rule, SelectorId target) {
    if (kind(target) == Kind::self) {
      // No source of such a rule matches a node with tags.
      const bool meant = std::any_of(rule.sources.begin(), rule.sources.end(),
                                     [this](SelectorId id) { return is_mine(id); });
      if (meant) users_.emplace(user_);
    } else if (is_mine(target)) {
      for (const SelectorId source : rule.sources) add_source(source);
    }
  }

  void add_source(SelectorId source) {
    switch (kind(source)) {
      case Kind::user:
      case Kind::group:
      case Kind::role:
        for (const std::string_view user : document_.vocabulary.users(source)) users_.emplace(user);
        break;
      case Kind::member:
      case Kind::domain:
        for (const Subject& other : everybody_)
          if (matches(other, source)) users_.emplace(user_key(other.login));
        break;
      case Kind::tag:
      case Kind::tagged:
        for (const Subject& other : everybody_)
          if (matches(other, source)) nodes_.insert(other.node.stable_id);
        break;
      case Kind::any:
      case Kind::nobody:
      case Kind::addresses:
      case Kind::self:
      case Kind::internet:
        break;
    }
  }

  [[nodiscard]] bool matches(const Subject& subject, SelectorId id) const {
    return matcher_.any(traits_of(subject, false), false, [id](SelectorId one) { return one == id; });
  }

  [[nodiscard]] SSHAction action(const SshRule& rule) const {
    SSHAction out;
    for (const SelectorId recorder : rule.recorders)
      for (const Subject& other : everybody_)
        if (matches(other, recorder))
          out.recorders.push_back({IpAddress::v4(other.node.v4.value), recorder_port});
    if (rule.enforce_recorder && !rule.recorders.empty()) {
      const std::string message = "Sessions here must be recorded, and no recorder can be reached.";
      if (out.recorders.empty()) {  // without any the client would not record and not complain
        out.reject = true;
        out.message = message;
        return out;
      }
      out.on_recording_failure = SSHRecorderFailureAction{message, message, {}};
    }
    // What holds once a check has been passed, too.
    out.allow_agent_forwarding = true;
    out.allow_local_port_forwarding = true;
    out.allow_remote_port_forwarding = true;
    out.accept = !rule.check;
    if (rule.check) {
      out.message = "# This session needs a fresh login.\n";
      out.hold_and_delegate = std::string(delegate) + std::to_string(rule.check_period.count());
    }
    return out;
  }

  // API-127
  void write(const SshRule& rule) {
    SSHRule all;
    all.action = action(rule);
    all.accept_env = rule.accept_env;
    SSHRule local = all;  // for users with a local part of their own
    all.ssh_users = rule.users;
    for (const std::string& user : users_) {
      SSHPrincipal principal;
      principal.user_login = user;
      all.principals.push_back(std::move(principal));
    }
    for (const std::string& node : nodes_) {
      SSHPrincipal principal;
      principal.node = node;
      all.principals.push_back(std::move(principal));
    }
    if (!rule.users.empty()) out_.rules.push_back(std::move(all));
    for (const std::string& domain : rule.local_of_domains)
      for (const std::string& user : users_) {
        const std::size_t sign = user.rfind('@');
        if (sign == std::string::npos || sign == 0 || user.compare(sign + 1, std::string::npos, domain) != 0)
          continue;
        SSHPrincipal principal;
        principal.user_login = user;
        local.principals = {std::move(principal)};
        local.ssh_users = {{user.substr(0, sign), "="}};
        out_.rules.push_back(local);
      }
  }

  const Document& document_;
  const Matcher& matcher_;
  std::span<const Subject> everybody_;
  std::string_view user_;
  Selectors matching_;
  std::set<std::string, std::less<>> users_, nodes_;  // sources of the rule at hand: logins, stable ids
  SSHPolicy out_;
};

}  // namespace

SSHPolicy ssh_for(const Document& document, const Matcher& matcher, const Subject& node,
                  std::span<const Subject> everybody) {
  return SshWriter(document, matcher, node, everybody).write();
}

}  // namespace ts2021::policy

// SPDX-License-Identifier: BSD-3-Clause
#include "coord/ssh_check.h"

#include <algorithm>
#include <charconv>

#include "ts2021/coord/address.h"
#include "ts2021/http/route.h"

namespace ts2021::coord {
namespace {

constexpr std::chrono::seconds usual_period = std::chrono::hours{12};

bool is(const SSHPrincipal& principal, const Subject& src) {
  if (principal.any) return true;
  if (!principal.node.empty() && principal.node == src.node.stable_id) return true;
  // A tagged node belongs to its tags, not to the user who made it.
  if (!principal.user_login.empty() && src.node.tags.empty() && principal.user_login == src.login)
    return true;
  if (principal.node_ip.empty()) return false;
  const auto ip = IpAddress::parse(principal.node_ip);
  return ip && (*ip == IpAddress::v4(src.node.v4.value) || *ip == IpAddress::v6(mapped_v6(src.node.v4)));
}

// The local user that the rule gives to who asks for `ssh_user`; empty: none.
std::string_view local_of(const SSHRule& rule, const std::string& ssh_user) {
  auto at = rule.ssh_users.find(ssh_user);
  if (at == rule.ssh_users.end()) at = rule.ssh_users.find("*");
  if (at == rule.ssh_users.end()) return {};
  return at->second == "=" ? std::string_view(ssh_user) : std::string_view(at->second);
}

}  // namespace

const SSHRule* deciding_rule(const SSHPolicy& policy, const Subject& src, std::string_view ssh_user,
                             std::string_view local_user, WallTime now) {
  const std::string user(ssh_user);
  for (const SSHRule& rule : policy.rules) {
    if (!rule.rule_expires.is_zero() && rule.rule_expires.at <= now) continue;
    if (std::none_of(rule.principals.begin(), rule.principals.end(),
                     [&](const SSHPrincipal& principal) { return is(principal, src); }))
      continue;
    const std::string_view local = local_of(rule, user);
    if (!local.empty()) return local == local_user ? &rule : nullptr;
  }
  return nullptr;
}

std::chrono::seconds check_period(const SSHAction& action) {
  const std::string_view url = action.hold_and_delegate;
  const std::size_t mark = url.find('?');
  if (mark == std::string_view::npos) return usual_period;
  const std::string_view text = query_value(url.substr(mark + 1), "period");
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return usual_period;
  return std::chrono::seconds{seconds};
}

SSHAction granted(const SSHAction& check) {
  SSHAction out = check;
  out.accept = true;
  out.message.clear();
  out.hold_and_delegate.clear();
  return out;
}

}  // namespace ts2021::coord

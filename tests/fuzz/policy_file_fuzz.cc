// SPDX-License-Identifier: BSD-3-Clause
// A policy file: refused with a place inside it, or a policy whose answers agree with each other.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "ts2021/msg/filter.h"
#include "ts2021/msg/hostinfo.h"
#include "ts2021/msg/ssh.h"
#include "ts2021/policy/policy_file.h"

using namespace ts2021;

namespace {

NodeRecord node(unsigned n, std::vector<std::string> tags, const std::vector<std::string>& routes) {
  NodeRecord out;
  out.id = NodeId{n};
  out.stable_id = std::string("n") + std::to_string(n);
  out.user = UserId{1 + n % 2};
  out.v4 = Ipv4Address{0x64400000u + n};
  out.tags = std::move(tags);
  auto hostinfo = std::make_shared<Hostinfo>();
  for (const auto& route : routes) hostinfo->routable_ips.push_back(*IpPrefix::parse(route));
  out.approved_routes = hostinfo->routable_ips;
  out.hostinfo = std::move(hostinfo);
  return out;
}

void check(const PolicyError& error, std::string_view text) {
  const auto lines = 1 + static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
  TS_EXPECT(error.line >= 1 && error.line <= lines);
  TS_EXPECT(error.column >= 1 && error.column <= text.size() + 1);
  TS_EXPECT(!error.message.empty() && error.message.size() < 400);
  TS_EXPECT(error.message.find('\n') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const PolicyResult result = PolicyFile::parse(text, {{"admin", {"alice@x.org"}}});
  if (!result) {
    check(result.error, text);
    return 0;
  }
  static const NodeRecord nodes[] = {node(1, {}, {}), node(2, {}, {"10.1.0.0/16"}), node(3, {"tag:web"}, {}),
                                     node(4, {"tag:db", "tag:web"}, {"0.0.0.0/0", "::/0"})};
  const Policy& policy = *result.policy;
  std::vector<Subject> subjects;
  for (const NodeRecord& one : nodes)
    subjects.push_back({one, one.user == UserId{1} ? "alice@x.org" : "bob@x.org"});
  for (const Subject& one : subjects) {
    const ViewClass view = policy.view_of(one);
    TS_EXPECT(policy.view_of(one) == view);
    for (const Subject& other : subjects)
      if (&other != &one) TS_EXPECT(policy.sees(view, other) == policy.sees(policy.view_of(other), one));
    for (const FilterRule& rule : policy.packet_filter(one)) TS_EXPECT(valid(rule) && !rule.src_ips.empty());
    const auto names = policy.source_capabilities(one);
    TS_EXPECT(std::is_sorted(names.begin(), names.end()));
    (void)policy.node_attributes(one);
    if (const auto ssh = policy.ssh_policy(one, subjects))
      for (const SSHRule& rule : ssh->rules) TS_EXPECT(!rule.principals.empty() && !rule.ssh_users.empty());
    (void)policy.approves_route(one, *IpPrefix::parse("10.1.0.0/16"));
    (void)policy.may_tag("alice@x.org", one.node.tags, "tag:web");
  }
  return 0;
}

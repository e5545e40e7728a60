// SPDX-License-Identifier: BSD-3-Clause
#include "admin/causes.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "ts2021/msg/hostinfo.h"

namespace ts2021::admin {
namespace {

// In the order of CoordOrder.
constexpr std::array<std::string_view, 32> order_names{"CompleteLogin",
                                                       "FailLogin",
                                                       "ApproveNode",
                                                       "SetExpiry",
                                                       "DeleteNode",
                                                       "RenameNode",
                                                       "SetTags",
                                                       "ApproveRoutes",
                                                       "SetCapabilities",
                                                       "AddAuthKey",
                                                       "RevokeAuthKey",
                                                       "SetPolicy",
                                                       "SetDERPMap",
                                                       "SetDns",
                                                       "SetMessages",
                                                       "SetClientVersion",
                                                       "SetDialPlan",
                                                       "OpenBrowser",
                                                       "Ping",
                                                       "CallNode",
                                                       "SetRules",
                                                       "PutNode",
                                                       "AddFakeNodes",
                                                       "OverrideRoutes",
                                                       "OverrideCapabilities",
                                                       "SetUnsignedPeerApiOnly",
                                                       "SetJailed",
                                                       "SetMasquerades",
                                                       "SetAppCaps",
                                                       "SetSshPolicy",
                                                       "SetDnsConfig",
                                                       "AddDnsRecords"};
static_assert(order_names.size() == std::variant_size_v<CoordOrder>);

std::string number(NodeId node) { return std::to_string(static_cast<std::uint64_t>(node)); }

// Whose order it is; 0: everybody's.
NodeId subject(const auto& order) {
  if constexpr (requires { NodeId{order.node}; })
    return order.node;
  else
    return NodeId{};
}

template <class T>
concept IsForOneNode =
    std::is_same_v<T, coord_command::SetMessages> || std::is_same_v<T, coord_command::OpenBrowser> ||
    std::is_same_v<T, coord_command::Ping> || std::is_same_v<T, coord_command::CallNode>;

bool same_set(std::vector<IpPort> a, std::vector<IpPort> b) {
  return a.size() == b.size() && std::is_permutation(a.begin(), a.end(), b.begin());
}

bool is_told(std::span<const std::string> parts, std::string_view name) {
  return std::find(parts.begin(), parts.end(), name) != parts.end();
}

}  // namespace

void Causes::add(Cause cause) {
  if (cause.text.empty()) return;
  ++last_;
  kept_.push_back(std::move(cause));
  if (kept_.size() > max_kept) kept_.pop_front();
}

Reasons Causes::since(std::uint64_t after, NodeId viewer, const FrameLook& look) const {
  struct Found {
    const std::string* text;
    std::uint64_t times;
  };
  std::vector<Found> found;
  const std::uint64_t fresh = std::min<std::uint64_t>(last_ - after, kept_.size());
  for (auto cause = kept_.end() - static_cast<std::ptrdiff_t>(fresh); cause != kept_.end(); ++cause) {
    if (cause->reach == Cause::Reach::only_node && cause->node != viewer) continue;
    if (cause->reach == Cause::Reach::about && !look.mentions(cause->node)) continue;
    const auto same =
        std::find_if(found.begin(), found.end(), [&](const Found& one) { return *one.text == cause->text; });
    if (same != found.end())
      ++same->times;
    else
      found.push_back({&cause->text, 1});
  }
  Reasons reasons;
  for (const Found& one : found) {
    if (reasons.named.size() == max_named) {
      ++reasons.more;
      continue;
    }
    reasons.named.push_back(*one.text);
    if (one.times > 1) reasons.named.back() += " (" + std::to_string(one.times) + " times)";
  }
  return reasons;
}

Cause cause_of(const CoordOrder& order) {
  Cause cause{"order " + std::string(order_names[order.index()])};
  std::visit(
      [&cause]<class T>(const T& one) {
        if constexpr (std::is_same_v<T, coord_command::SetJailed>) {
          cause.text += ": node " + number(one.peer) + " for node " + number(one.viewer);
        } else if (const NodeId node = subject(one); node != NodeId{}) {
          cause.text += " of node " + number(node);
          cause.node = node;
          if (IsForOneNode<T>) cause.reach = Cause::Reach::only_node;
        }
      },
      order);
  return cause;
}

// What is compared here is what coord takes from requests (MAP-20, MAP-34).
Cause cause_of(const MapRequest& request, const NodeRecord& before) {
  if (request.read_only) return {};
  std::vector<std::string> parts;
  if (!request.stream || request.version < Capability::separate_updates) {
    if ((!request.stream || !request.endpoints.empty()) && !same_set(request.endpoints, before.endpoints))
      parts.emplace_back("endpoints");
    if (!request.disco_key.is_zero() && request.disco_key != before.disco) parts.emplace_back("disco key");
  }
  if (request.hostinfo) {
    const Hostinfo& now = *request.hostinfo;
    if (now.net_info && now.net_info->preferred_derp != 0 && now.net_info->preferred_derp != before.home_derp)
      parts.emplace_back("home relay");
    if (now.hostname != before.hostname) parts.emplace_back("hostname");
    if (!before.hostinfo || now.routable_ips != before.hostinfo->routable_ips) parts.emplace_back("routes");
    if (parts.empty() && (!before.hostinfo || !(now == *before.hostinfo))) parts.emplace_back("host info");
  }
  if (request.version != before.capability) parts.emplace_back("version");
  const bool endpoints_only = parts.size() == 1 && is_told(parts, "endpoints") && !request.stream;
  std::string text = endpoints_only       ? "endpoint update"
                     : request.stream     ? "new poll"
                     : request.omit_peers ? "update"
                                          : "map request";
  text += " of node " + number(before.id);
  if (!endpoints_only) {
    std::string_view mark = ": ";
    for (const std::string& part : parts) text.append(std::exchange(mark, ", ")).append(part);
    if (parts.empty() && !request.stream) text += ": nothing new";
  }
  return {std::move(text), Cause::Reach::about, before.id};
}

Cause cause_of(const Question& question) {
  if (std::holds_alternative<question::SetAttributes>(question)) return {"posture attributes of a node"};
  if (std::holds_alternative<question::Lock>(question)) return {"call of the tailnet lock"};
  return {};
}

Cause cause_of(const coord_event::Notice& notice, bool test_mode) {
  std::string_view what;
  switch (notice.kind) {
    case NoticeKind::joined:
      what = " has registered";
      break;
    case NoticeKind::online:
      what = test_mode ? "" : " is online";  // maps of test mode don't say it
      break;
    case NoticeKind::offline:
      what = test_mode ? "" : " is offline";
      break;
    case NoticeKind::logged_out:
      what = " has logged out";
      break;
    case NoticeKind::expired:
      what = ": its key has expired";
      break;
    case NoticeKind::removed:
      what = " was removed";
      break;
    case NoticeKind::refused:
    case NoticeKind::reported:
      break;
  }
  if (what.empty() || notice.node == NodeId{}) return {};
  return {"node " + number(notice.node) + std::string(what), Cause::Reach::about, notice.node};
}

}  // namespace ts2021::admin

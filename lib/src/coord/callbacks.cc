// SPDX-License-Identifier: BSD-3-Clause
#include "coord/callbacks.h"

#include <algorithm>
#include <utility>

#include "coord/token.h"
#include "ts2021/msg/capability.h"

namespace ts2021::coord {
namespace {

constexpr std::string_view inside = "https://unused/machine/";  // over Noise, whatever the host

// Its kinds, each of which is answered by itself; 0: not a list of kinds that clients know.
std::size_t count_types(std::string_view types) {
  std::size_t count = 0;
  for (bool more = true; more; ++count) {
    const std::size_t comma = types.find(',');
    const std::string_view type = types.substr(0, comma);
    if (type != "disco" && type != "TSMP" && type != "ICMP" && type != "peerapi") return 0;
    more = comma != std::string_view::npos;
    if (more) types.remove_prefix(comma + 1);
  }
  return count;
}

}  // namespace

std::optional<Callbacks::Begun> Callbacks::begin(CommandId command, const coord_command::Ping& order,
                                                 const NodeRecord& node, Now now, Refusal& why) {
  Open open{.command = command, .machine = node.machine, .until = now.mono + ping_time};
  PingRequest request;
  request.types = order.types;
  request.ip = order.target;
  if (!order.types.empty()) {
    open.missing = count_types(order.types);
    open.lines = true;
    if (open.missing == 0 || order.target.is_none()) {
      why = {400, "a ping has an address and kinds, or neither"};
      return std::nullopt;
    }
    if (node.capability < Capability::typed_pings) {
      why = {501, "the node's version can't do this"};
      return std::nullopt;
    }
  } else if (!order.target.is_none()) {
    why = {400, "a ping has an address and kinds, or neither"};
    return std::nullopt;
  }
  open.outside = node.capability < Capability::noise_ping_url;  // API-132
  if (open.outside && config_.rules.login_url.empty()) {
    why = {501, "the node's version needs a site that it can reach"};
    return std::nullopt;
  }
  return this->open(std::move(open), std::move(request), "ping/", why);
}

std::optional<Callbacks::Begun> Callbacks::begin(CommandId command, const coord_command::CallNode& order,
                                                 const NodeRecord& node, Now now, Refusal& why) {
  if (node.capability < Capability::c2n) {
    why = {501, "the node's version can't do this"};
    return std::nullopt;
  }
  PingRequest request;
  request.types = "c2n";
  request.payload.bytes.assign(order.request.begin(), order.request.end());
  return open({.command = command, .machine = node.machine, .until = now.mono + call_time},
              std::move(request), "c2n/", why);
}

std::optional<Callbacks::Begun> Callbacks::open(Open open, PingRequest request, std::string_view where,
                                                Refusal& why) {
  if (open_.size() >= max_open) {
    why = {503, "too many calls are under way"};
    return std::nullopt;
  }
  std::string token = make_token(entropy_);
  request.url_is_noise = !open.outside;
  request.url = open.outside ? config_.rules.login_url + "/" : std::string(inside);
  request.url.append(where).append(token);
  const Instant until = open.until;
  open_.emplace(std::move(token), std::move(open));
  return Begun{std::move(request), until};
}

void Callbacks::forget(CommandId command) {
  std::erase_if(open_, [command](const auto& one) { return one.second.command == command; });
}

bool Callbacks::deliver(const question::Deliver& answer, const std::optional<MachinePublic>& machine,
                        std::vector<CoordEvent>& events) {
  const auto at = open_.find(answer.token);
  if (at == open_.end()) return false;
  Open& open = at->second;
  if (open.outside ? machine.has_value() : machine != open.machine) return false;  // API-131
  open.body += answer.body;
  if (open.lines) open.body += '\n';
  if (--open.missing > 0) return true;
  events.push_back(coord_event::CommandDone{open.command, 200, {}, std::move(open.body)});
  open_.erase(at);
  return true;
}

// API-133: a client says nothing about a ping that failed; those that came in time are all there are.
void Callbacks::advance(Instant now, std::vector<CoordEvent>& events) {
  for (auto at = open_.begin(); at != open_.end();) {
    Open& open = at->second;
    if (open.until > now) {
      ++at;
      continue;
    }
    if (open.body.empty())
      events.push_back(coord_event::CommandDone{open.command, 504, "the node has not answered in time", {}});
    else
      events.push_back(coord_event::CommandDone{open.command, 200, {}, std::move(open.body)});
    at = open_.erase(at);
  }
}

std::optional<Instant> Callbacks::next_timeout() const {
  const auto first = std::min_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
    return a.second.until < b.second.until;
  });
  return first == open_.end() ? std::nullopt : std::optional(first->second.until);
}

}  // namespace ts2021::coord

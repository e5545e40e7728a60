// SPDX-License-Identifier: BSD-3-Clause
#include "coord/one_shots.h"

#include <algorithm>

#include "ts2021/msg/map_response.h"

namespace ts2021::coord {

bool OneShots::push(NodeId node, OneShot what, Instant until) {
  const auto at = waiting_.try_emplace(node).first;
  if (at->second.size() >= max_waiting) return false;
  at->second.push_back({std::move(what), until});
  settle(at);
  return true;
}

void OneShots::pop_into(NodeId node, MapResponse& message) {  // MAP-43
  const auto at = waiting_.find(node);
  OneShot what = std::move(at->second.front().what);
  at->second.pop_front();
  settle(at);
  if (auto* ping = std::get_if<PingRequest>(&what)) message.ping_request = std::move(*ping);
  if (auto* browser = std::get_if<BrowserUrl>(&what)) message.pop_browser_url = std::move(browser->url);
  if (auto* debug = std::get_if<Debug>(&what)) message.debug = *debug;
}

void OneShots::forget(NodeId node) {
  waiting_.erase(node);
  expiries_.clear(node);
}

void OneShots::expire(Instant now) {
  while (const auto node = expiries_.pop(now)) {
    const auto at = waiting_.find(*node);
    std::erase_if(at->second, [now](const Waiting& one) { return one.until <= now; });
    settle(at);
  }
}

void OneShots::settle(std::unordered_map<NodeId, Queue>::iterator at) {
  const NodeId node = at->first;
  if (at->second.empty()) return forget(node);
  const auto earliest =
      std::min_element(at->second.begin(), at->second.end(),
                       [](const Waiting& a, const Waiting& b) { return a.until < b.until; });
  expiries_.set(node, earliest->until);
}

}  // namespace ts2021::coord

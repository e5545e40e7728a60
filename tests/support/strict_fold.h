// SPDX-License-Identifier: BSD-3-Clause
// The library's fold as a judge of our own server: whatever it finds is wrong, also what clients would live
// with.
#pragma once

#include <string>
#include <vector>

#include "ts2021/client/fold.h"

namespace ts2021::test {

class StrictFold {
 public:
  explicit StrictFold(Capability viewer = newest_capability) : fold_(viewer) {}

  // Empty, or what is wrong with the message, by its rule.
  std::string apply(const MapResponse& message) {
    derp_maps += message.derp_map.has_value();
    if (message.ping_request) pings.push_back(*message.ping_request);
    if (!message.pop_browser_url.empty()) opened_urls.push_back(message.pop_browser_url);
    std::string wrong;
    for (const Finding& finding : fold_.apply(message)) {
      if (finding.rule == "MAP-26") continue;
      if (!wrong.empty()) wrong += "; ";
      (wrong += finding.rule) += ": ";
      wrong += finding.text;
      if (finding.node != NodeId{})
        wrong += " (node " + std::to_string(static_cast<std::uint64_t>(finding.node)) + ")";
    }
    return wrong;
  }
  [[nodiscard]] const Netmap* operator->() const noexcept { return &fold_.netmap(); }
  [[nodiscard]] const Netmap& operator*() const noexcept { return fold_.netmap(); }
  [[nodiscard]] std::uint64_t messages() const noexcept { return fold_.messages(); }

  // What acts when it comes and leaves nothing in the map.
  std::vector<PingRequest> pings;
  std::vector<std::string> opened_urls;
  std::size_t derp_maps = 0;

 private:
  Fold fold_;
};

}  // namespace ts2021::test

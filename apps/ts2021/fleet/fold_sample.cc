// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/fold_sample.h"

#include <algorithm>

namespace ts2021::app::fleet {

FoldSample::FoldSample(std::uint32_t count, std::uint32_t nodes, Capability capability)
    : capability_(capability) {
  count = std::min(count, nodes);
  for (std::uint32_t i = 0; i < count; ++i)
    begin(static_cast<std::uint32_t>(std::uint64_t{i} * nodes / count));
}

void FoldSample::begin(std::uint32_t node) { folds_.insert_or_assign(node, Fold(capability_)); }

void FoldSample::apply(std::uint32_t node, MapResponse message) {
  for (const Finding& finding : folds_.at(node).apply(std::move(message))) {
    Found& found = findings_[{std::string(finding.rule), std::string(finding.text)}];
    found.harm = std::max(found.harm, finding.harm);
    ++found.count;
  }
}

std::uint64_t FoldSample::harmful() const {
  std::uint64_t sum = 0;
  for (const auto& [what, found] : findings_)
    if (found.harm != Harm::none) sum += found.count;
  return sum;
}

// As clients read it: the newer member, else the relay's number in the old one.
bool FoldSample::has_home(const ts2021::Node& peer, int home_derp) {
  if (peer.home_derp != 0) return peer.home_derp == home_derp;
  return peer.derp == "127.3.3.40:" + std::to_string(home_derp);
}

bool FoldSample::has_generation(const ts2021::Node& peer, std::uint32_t number, std::uint32_t generation,
                                const Markers& markers) {
  return std::any_of(peer.endpoints.begin(), peer.endpoints.end(), [&](const IpPort& endpoint) {
    return markers.read(endpoint) == Markers::Mark{number, generation};
  });
}

}  // namespace ts2021::app::fleet

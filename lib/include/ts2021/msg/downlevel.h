// SPDX-License-Identifier: BSD-3-Clause
// What older clients get instead: each row of the version table that is more than a member's presence, as a
// pure function over messages. Decided by the viewer's version, never by that of the node described.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/msg/filter.h"
#include "ts2021/msg/map_response.h"
#include "ts2021/msg/node.h"

namespace ts2021 {

// "127.3.3.40:<region>"; empty for 0. And back: 0 for anything else.
[[nodiscard]] std::string derp_text(int region);
[[nodiscard]] int derp_region(std::string_view text) noexcept;
// Both forms of the home relay, which everybody gets (API-70).
void set_home_derp(Node& node, int region);
// A decoded node: the relay in whichever form came.
[[nodiscard]] int home_derp(const Node& node) noexcept;

// Absent AllowedIPs become Addresses; a client below 112 knows no default (API-71).
void explicit_allowed_ips(Node& node);

// False for a peer that the viewer would misunderstand and must not see: WireGuard-only below 60, masqueraded
// below 59 (IPv4) or 104 (IPv6), jailed below 94 (API-72).
[[nodiscard]] bool peer_visible(const Node& peer, Capability viewer) noexcept;
// Below 53 an expired peer loses endpoints and relay instead of being marked (API-73).
void mark_expired(Node& peer, Capability viewer);
// Below 74 the capability names go into the list and values are lost (API-74).
void list_capabilities(Node& node, Capability viewer);

// Below 70 the knobs among the capabilities of the self node become members of Debug (API-79). Old clients
// keep them until the stream ends.
void list_knobs(MapResponse& message, Capability viewer);
// From 131 on DefaultAutoUpdate is a capability of the self node, which must be in the message to get it
// (API-78).
void set_auto_update(MapResponse& message, Capability viewer);

// Whether the viewer understands every member of the patch; else it needs the full peer (API-75).
[[nodiscard]] bool patch_fits(const PeerChange& change, Capability viewer) noexcept;

// Who stands behind "cap:<capability>": appends addresses or prefixes in text form.
class CapabilityHolders {
 public:
  virtual ~CapabilityHolders() = default;
  virtual void append(std::string_view capability, std::vector<std::string>& sources) const = 0;
};
// From 109 on; below, who stands behind a source must be told again when that changes.
[[nodiscard]] bool understands_cap_sources(Capability viewer) noexcept;
// Rules without "cap:" sources: the addresses of its holders stand where such a source stood, each once per
// rule. A source that nobody holds is dropped, and a rule without sources with it, which would block
// everything. `holders` null: nobody holds anything. For viewers below 109 (API-76).
[[nodiscard]] std::vector<FilterRule> expand_sources(std::vector<FilterRule> rules,
                                                     const CapabilityHolders* holders);
// Rules for the viewer: grants dropped below 32 and turned into lists below 67, sources expanded below 109
// (API-76).
[[nodiscard]] std::vector<FilterRule> rules_for(std::vector<FilterRule> rules, Capability viewer,
                                                const CapabilityHolders* holders = nullptr);
// The one list that named chunks add up to, for viewers below 81.
[[nodiscard]] std::vector<FilterRule> joined(
    const std::map<std::string, std::optional<std::vector<FilterRule>>>& chunks);

// All of the above over one message, and: PacketFilters joined below 81, DisplayMessages as Health below 117,
// no DERPMap without Regions below 65. PeersChangedPatch entries that do not fit are dropped: decide with
// patch_fits() before.
void downlevel(MapResponse& message, Capability viewer, const CapabilityHolders* holders = nullptr);

// Every version at which a function above changes its mind, ascending; part of the capability classes.
[[nodiscard]] std::span<const Capability> downlevel_thresholds() noexcept;

}  // namespace ts2021

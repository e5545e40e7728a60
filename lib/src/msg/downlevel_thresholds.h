// SPDX-License-Identifier: BSD-3-Clause
// Every version that downlevel.cc asks for, ascending.
#pragma once

#include <array>

#include "ts2021/msg/capability.h"

namespace ts2021 {

inline constexpr std::array downlevel_threshold_list{
    Capability::cap_grant,
    Capability::peer_patches,
    Capability::more_peer_patches,
    Capability::key_signatures,
    Capability::node_expired,
    Capability::node_cap,
    Capability::masquerade_v4,
    Capability::wireguard_only_peers,
    Capability::derp_home_params,
    Capability::peer_cap_map,
    Capability::knobs_by_capability,
    Capability::node_cap_map,
    Capability::packet_filters,
    Capability::jailed_peers,
    Capability::masquerade_v6,
    Capability::cap_sources,
    Capability::implicit_allowed_ips,
    Capability::display_messages,
    Capability::auto_update_capability,
};

}  // namespace ts2021

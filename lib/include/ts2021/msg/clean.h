// SPDX-License-Identifier: BSD-3-Clause
// What nodes say on its way into the maps of others: one field that a client cannot read, or a megabyte of
// one, would end the streams of everybody who sees it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/msg/hostinfo.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

inline constexpr std::size_t max_peer_text = 256;      // bytes
inline constexpr std::size_t max_peer_ssh_key = 2048;  // bytes; longer ones are left out, a part is no key
inline constexpr std::size_t max_peer_ssh_keys = 16;
inline constexpr std::size_t max_peer_services = 64;
inline constexpr std::size_t max_peer_service_text = 64;  // bytes, of protocol and description each
inline constexpr std::size_t max_peer_routes = 512;

// At most `max_size` bytes of whole UTF-8 characters without anything that needs an escape: control
// characters become spaces, `"` and `\` become `'` and `/`, bytes that are no character are dropped.
[[nodiscard]] std::string clean_text(std::string_view text, std::size_t max_size = max_peer_text);
// Without host bits, repetitions and empty ones; the first max_peer_routes.
[[nodiscard]] std::vector<IpPrefix> clean_routes(const std::vector<IpPrefix>& routes);
// The first max_peer_services, those of the peer API before others when there are more; texts cut.
[[nodiscard]] std::vector<Service> clean_services(std::vector<Service> services);
// The first max_peer_ssh_keys that are not too long.
[[nodiscard]] std::vector<std::string> clean_ssh_keys(const std::vector<std::string>& keys);

}  // namespace ts2021

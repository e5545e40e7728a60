// SPDX-License-Identifier: BSD-3-Clause
// What flags with a form of their own are read as. All throw std::invalid_argument with what is wrong.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts2021/base/time.h"
#include "ts2021/coord/config.h"

namespace ts2021::app {

// "90s", "15m", "12h", "30d"; up to ten years.
[[nodiscard]] std::chrono::seconds parse_duration(std::string_view text);

// "KEY[,ephemeral][,single-use][,needs-approval][,tag:NAME]…[,user=LOGIN][,expires=DURATION]". The key has 1
// to 256 letters, digits and -_.:+, so that neither JSON nor a shell wants it quoted.
[[nodiscard]] PresetAuthKey parse_auth_key(std::string_view text, WallTime now);

// Like "alice@example.com".
[[nodiscard]] std::string parse_login(std::string_view text);

// Lower-case labels, like "tailnet.example", without dots at the ends.
[[nodiscard]] std::string parse_domain(std::string_view text);

// An address, address:port, or the https:// URL of a DoH server.
[[nodiscard]] Resolver parse_resolver(std::string_view text);

// "SUFFIX=RESOLVER[,RESOLVER]…"; nothing behind the '=': only MagicDNS knows the names.
[[nodiscard]] std::pair<std::string, std::vector<Resolver>> parse_dns_route(std::string_view text);

// "NAME=ADDRESS".
[[nodiscard]] DNSRecord parse_dns_record(std::string_view text);

}  // namespace ts2021::app

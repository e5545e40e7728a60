// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/node/host.h"

#include <stdexcept>

namespace ts2021::app {

void add_host(CLI::App& command, HostFlags& flags) {
  command.add_option("--hostname", flags.hostname)->capture_default_str();
  command.add_option("--tags", flags.tags, "tags to ask for: tag:a,tag:b")->delimiter(',');
  command.add_option("--routes", flags.routes, "subnets to offer: 10.0.0.0/8,0.0.0.0/0")->delimiter(',');
}

Hostinfo HostFlags::hostinfo() const {
  Hostinfo host;
  host.hostname = hostname;
  host.os = "linux";
  host.ipn_version = "ts2021-" TS2021_VERSION;
  host.backend_log_id = "ts2021";
  host.request_tags = tags;
  for (const std::string& route : routes) {
    const auto prefix = IpPrefix::parse(route);
    if (!prefix || prefix->is_none()) throw std::runtime_error(route + ": not a prefix");
    host.routable_ips.push_back(*prefix);
  }
  return host;
}

}  // namespace ts2021::app

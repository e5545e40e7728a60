// SPDX-License-Identifier: BSD-3-Clause
// DNS settings of a node.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

struct Resolver {
  std::string addr;  // "1.1.1.1", "1.1.1.1:53", "https://…"
  std::vector<IpAddress> bootstrap_resolution;
  bool use_with_exit_node = false;
  RawJson extra{};
  friend bool operator==(const Resolver&, const Resolver&) = default;
};
constexpr auto fields(const Resolver*) {
  return std::tuple{
      Field<"Addr", &Resolver::addr>{}, Field<"BootstrapResolution", &Resolver::bootstrap_resolution>{},
      Field<"UseWithExitNode", &Resolver::use_with_exit_node>{.since = Capability::resolver_with_exit_node}};
}

struct DNSRecord {
  std::string name;
  std::string type;   // empty, A or AAAA
  std::string value;  // an address
  RawJson extra{};
  friend bool operator==(const DNSRecord&, const DNSRecord&) = default;
};
constexpr auto fields(const DNSRecord*) {
  return std::tuple{always<"Name", &DNSRecord::name>, Field<"Type", &DNSRecord::type>{},
                    always<"Value", &DNSRecord::value>};
}

struct DNSConfig {
  std::vector<Resolver> resolvers;                      // empty: those of the system
  std::map<std::string, std::vector<Resolver>> routes;  // suffix → resolvers; none: answered locally
  std::vector<Resolver> fallback_resolvers;
  std::vector<std::string> domains;  // search domains, no trailing dot; the MagicDNS suffix first
  bool proxied = false;              // MagicDNS
  std::vector<std::string> cert_domains;
  std::vector<DNSRecord> extra_records;
  std::vector<std::string> exit_node_filtered_set;
  RawJson extra{};
  friend bool operator==(const DNSConfig&, const DNSConfig&) = default;
};
constexpr auto fields(const DNSConfig*) {
  return std::tuple{Field<"Resolvers", &DNSConfig::resolvers>{},
                    Field<"Routes", &DNSConfig::routes>{},
                    Field<"FallbackResolvers", &DNSConfig::fallback_resolvers>{},
                    Field<"Domains", &DNSConfig::domains>{},
                    Field<"Proxied", &DNSConfig::proxied>{},
                    Field<"CertDomains", &DNSConfig::cert_domains>{},
                    Field<"ExtraRecords", &DNSConfig::extra_records>{},
                    Field<"ExitNodeFilteredSet", &DNSConfig::exit_node_filtered_set>{}};
}

}  // namespace ts2021

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/doctor/diagnosis.h"

#include <algorithm>
#include <cmath>

#include "ts2021/doctor/reasoning.h"

namespace ts2021::app {
namespace {

using Walk = std::span<const Record>;

Finding of_name() {
  return {ailment::unknown_name,
          {"the name is misspelt or not in DNS", "this machine's resolver does not answer"},
          "Ask DNS for the name from this machine, then from another one."};
}

Finding of_port(const Record& at) {
  if (at.what == What::nobody_listens)
    return {ailment::port_closed,
            {"the server or its proxy is not running, or listens on another port or address",
             "a firewall refuses the connection"},
            "Look on the server's machine which process listens on this port, and on which address."};
  return {ailment::unreachable,
          {"a firewall drops the packets", "the address is wrong or the machine is down"},
          "Try the port from the server's own machine, then let it through all firewalls on the way."};
}

Finding of_certificate_time(Walk walk) {
  const Record* const key = find(walk, Hop::key);
  if (key && std::abs(key->seconds) > 86'400)
    return {ailment::clock,
            {"this machine's clock is far from the server's, and the certificate is valid by the server's",
             "the certificate has expired, and the server's clock is wrong"},
            "Set the clock of this machine, then look again."};
  return {ailment::certificate_time,
          {"the certificate was not renewed, or the server was not told to load the new one",
           "this machine's clock is wrong"},
          "Renew the certificate and let the server, or the proxy that ends TLS, load it."};
}

Finding of_tls(const Record& at, Walk walk) {
  if (at.what == What::not_tls) {
    return {ailment::wrong_scheme,
            {"the port speaks plain HTTP", "the port belongs to something else"},
            "Use http:// in the URL, or the port on which TLS is spoken."};
  }
  if (at.what == What::certificate_time) {
    return of_certificate_time(walk);
  }
  if (at.what == What::certificate_name) {
    return {
        ailment::certificate_name,
        {"the certificate was made for other names, see above",
         "the name leads to another machine, or the proxy gives its default certificate to unknown names"},
        "Get a certificate for the host of the URL, or use the name that is in the certificate."};
  }
  if (at.what == What::certificate_authority) {
    return {
        ailment::certificate_authority,
        {"the certificate is self-signed or of an authority of one's own",
         "the server does not send the intermediate certificates",
         "something on the way opens TLS and shows a certificate of its own"},
        "Let the server send the full chain of a public authority, or trust its authority: --ca here, the "
        "system's store for clients."};
  }
  if (at.what == What::silence) {
    return {ailment::tls,
            {"the port takes connections but is no TLS server", "a proxy waits for a server behind it"},
            "Look at which process owns the port and whether TLS is switched on there."};
  }
  if (at.alpn == "h2") return http2_only();
  return {ailment::tls,
          {"no version or cipher in common", "a proxy drops names (SNI) that it does not know",
           "a firewall cuts TLS"},
          "Offer TLS 1.2 or 1.3 on this port, also to clients that send no ALPN."};
}

Finding think(const Record& at, Walk walk) {
  switch (at.hop) {
    case Hop::name:
      return of_name();
    case Hop::port:
      return of_port(at);
    case Hop::tls:
      return of_tls(at, walk);
    case Hop::key:
      return of_key(at, walk);
    case Hop::upgrade:
      return of_upgrade(at, walk);
    case Hop::noise:
    case Hop::early:
    case Hop::http2:
      return of_handshake(at, walk);
    case Hop::register_node:
      return of_register(at);
    case Hop::map:
      return of_map(at);
    case Hop::keep_alive:
      return of_keep_alive(at);
  }
  return {};
}

// Native clients have two ways; what is wrong with one is not all they have.
void mention_other_way(const Record& at, Walk walk, Finding& finding) {
  if (at.hop < Hop::upgrade || at.hop > Hop::http2 || at.way == Way::websocket) return;
  const Way other = at.way == Way::plain ? Way::tls : Way::plain;
  if (works(walk, Hop::http2, other))
    finding.causes.push_back(std::string("the other port (") + name(other) +
                             ") works, so that clients get through at times");
}

}  // namespace

const Record* find(Walk walk, Hop hop, std::optional<Way> way) noexcept {
  const auto found = std::find_if(walk.begin(), walk.end(), [&](const Record& record) {
    return record.hop == hop && (!way || record.way == *way);
  });
  return found == walk.end() ? nullptr : &*found;
}

bool works(Walk walk, Hop hop, Way way) noexcept {
  const Record* const record = find(walk, hop, way);
  return record && record->verdict == Verdict::ok;
}

Diagnosis diagnose(Walk walk) {
  const auto failed = [](const Record& record) { return record.verdict == Verdict::failed; };
  const auto at = std::find_if(walk.begin(), walk.end(), failed);
  if (at == walk.end()) return {};
  Finding finding = think(*at, walk);
  mention_other_way(*at, walk, finding);
  return {finding.ailment, static_cast<std::size_t>(at - walk.begin()), std::move(finding.causes),
          std::move(finding.advice)};
}

}  // namespace ts2021::app

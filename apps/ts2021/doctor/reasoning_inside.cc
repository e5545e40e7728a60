// SPDX-License-Identifier: BSD-3-Clause
// From message 2 on: what no proxy can forge, only delay, cut or break.
#include <cmath>

#include "ts2021/doctor/reasoning.h"

namespace ts2021::app {
namespace {

using Walk = std::span<const Record>;

std::string whole_seconds(double seconds) { return std::to_string(std::lround(seconds)) + " s"; }

Finding version_refused(const Record& at) {
  return {ailment::version_refused,
          {"the server refuses this capability version; it takes " + std::to_string(at.other_version)},
          "Use a client of a version that the server supports, or update the server."};
}

Finding wrong_key(const Record& at, Walk walk) {
  const Way other = at.way == Way::plain ? Way::tls : Way::plain;
  Finding finding{ailment::wrong_key,
                  {},
                  "Compare the key that the server has at its own address with that of the URL; "
                  "/key must not be cached and must lead where /ts2021 leads."};
  const Record* const key = find(walk, Hop::key);
  if (key && !key->cache.empty()) finding.causes.push_back("/key comes from a cache (" + key->cache + ")");
  if (works(walk, Hop::noise, other)) {
    finding.causes.push_back("this port leads to another control server than the other one");
  } else {
    finding.causes.push_back("/key and /ts2021 lead to different control servers");
    finding.causes.push_back(
        "the server's Noise key was replaced and the old one not kept, while /key still gives it");
  }
  if (at.what == What::cut_after_101) {
    finding.causes.push_back("the server refuses this capability version in the handshake");
    finding.causes.push_back("a proxy says 101 and then cuts the connection");
  } else {
    finding.causes.push_back("something on the way changes what follows the upgrade");
  }
  return finding;
}

Finding noise_broken(const Record& at) {
  return {ailment::noise_broken,
          {at.what == What::bad_record ? "something on the way changes bytes behind the upgrade"
                                       : "a proxy puts bytes of its own behind the upgrade",
           "the server's Noise is faulty"},
          "Ask the server directly, without the proxy, with the same command: if that works, let the proxy "
          "treat what "
          "follows a 101 as opaque."};
}

Finding held() {
  return {ailment::stream_held,
          {"a proxy buffers what follows the upgrade, or still waits for a body", "the server is stuck"},
          "Switch buffering off for this host; ask the server directly, without the proxy, with the same "
          "command."};
}

}  // namespace

Finding of_handshake(const Record& at, Walk walk) {
  if (at.other_version != 0) return version_refused(at);
  if (at.what == What::refusal) {
    return {ailment::noise_broken,
            {"the server says that the handshake was malformed: something on the way changes the header "
             "X-Tailscale-Handshake",
             "the server knows another Noise handshake"},
            "Ask the server directly, without the proxy, with the same command."};
  }
  if (at.what == What::cut_after_101 || at.what == What::bad_proof) {
    return wrong_key(at, walk);
  }
  if (at.what == What::bad_message2 || at.what == What::bad_record) {
    return noise_broken(at);
  }
  if (at.what == What::silence_after_101) {
    return held();
  }
  if (at.what == What::silence) {
    if (at.hop == Hop::early) return held();
    return {ailment::http2,
            {"the server is stuck", "a proxy holds back what the client sends"},
            "Ask the server directly, without the proxy, with the same command, and read its log."};
  }
  if (at.what == What::bad_early) {
    return {ailment::early_payload,
            {"the server sends what is no early payload, or one that is too long"},
            "Update or mend the server: nothing on the way can change what is inside Noise."};
  }
  if (at.what == What::cut) {
    return {ailment::http2,
            {"the server ends the connection after the handshake: a limit, or it refuses this machine",
             "a proxy cuts the connection"},
            "Read the server's log; ask it directly, without the proxy, with the same command."};
  }
  if (at.what == What::going_away || at.what == What::reset) {
    return {ailment::http2,
            {"the server itself refuses requests: it shuts down, or is at a limit"},
            "Read the server's log: nothing on the way can change what is inside Noise."};
  }
  return {ailment::http2,
          {"the server's HTTP/2 is faulty"},
          "Update or mend the server: nothing on the way can change what is inside Noise."};
}

namespace {

std::optional<Finding> of_session(const Record& at) {
  if (at.what == What::bad_record) {
    return noise_broken(at);
  }
  if (is_one_of(at.what, {What::bad_http2, What::going_away, What::reset})) {
    return of_handshake(at, {});
  }
  if (at.what == What::status) {
    if (auto found = of_status(at, true)) return found;
    if (at.status >= 500)
      return Finding{ailment::server_error, {"the server fails at this request"}, "Read the server's log."};
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Finding of_register(const Record& at) {
  if (auto found = of_session(at)) return *found;
  if (at.what == What::login) {
    return {ailment::login_needed,
            {"no auth key was given, or the server does not take it for this node"},
            "Make an auth key on the server and give it with --auth-key."};
  }
  if (at.what == What::cut || at.what == What::silence) {
    return of_handshake(at, {});
  }
  if (at.what == What::bad_message) {
    return {ailment::server_error, {"the server's answer can't be read"}, "Update or mend the server."};
  }
  Finding finding{
      ailment::register_refused,
      {"the auth key is unknown, spent, expired or revoked", "the server does not admit this node"},
      "Make a new auth key on the server; read what the server says above."};
  if (at.text.find("version") != std::string::npos) {
    finding.ailment = ailment::version_refused;
    finding.causes = {"the server refuses this capability version", "the auth key is not accepted"};
    finding.advice = "Use a client of a version that the server supports; read what the server says above.";
  }
  return finding;
}

Finding of_map(const Record& at) {
  if (auto found = of_session(at)) {
    if (found->ailment.exit_code == ailment::http2.exit_code) found->ailment = ailment::map_broken;
    return *found;
  }
  if (at.what == What::status) {
    return {ailment::map_refused,
            {"the server does not know the node, or has it expired or not approved"},
            "Look at the node in the server's list."};
  }
  if (at.what == What::silence) {
    return {ailment::map_silent,
            {"the server waits with the map: the node must be approved, or the server is stuck",
             "a proxy buffers what the server sends"},
            "Look at the node in the server's list; ask the server directly, without the proxy."};
  }
  if (at.what == What::cut) {
    return {ailment::map_broken,
            {"a proxy cuts the connection", "the server ends it"},
            "Ask the server directly, without the proxy, with the same command."};
  }
  return {ailment::map_broken,
          {"the server's map is malformed or ends at once"},
          "Update or mend the server: nothing on the way can change what is inside Noise."};
}

Finding of_keep_alive(const Record& at) {
  if (at.what == What::silence)
    return {ailment::no_keep_alive,
            {"the server sends no keep-alives, or too rarely: one a minute is usual",
             "a proxy buffers small messages"},
            "Let the server send a keep-alive every minute; clients give the map up after 120 s of silence."};
  if (at.what == What::cut && at.seconds >= 1)
    return {ailment::idle_cut,
            {"a proxy or firewall cuts connections on which nothing came for " + whole_seconds(at.seconds),
             "the server ends the connection, or was stopped"},
            "Raise the proxy's limit for idle tunnels above 120 s (nginx: proxy_read_timeout; HAProxy: "
            "timeout tunnel), "
            "or let the server send keep-alives more often than every " +
                whole_seconds(at.seconds) + "."};
  return of_map(at);
}

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
// Outside Noise: what any proxy sees, and may change.
#include <string_view>
#include <utility>

#include "ts2021/doctor/reasoning.h"

namespace ts2021::app {
namespace {

using Walk = std::span<const Record>;

bool is_page(const Record& at) { return at.content_type == "text/html"; }
bool says(const Record& at, std::string_view words) { return at.text.find(words) != std::string::npos; }
std::string who(const Record& at) {
  return at.server.empty() ? std::string("a proxy") : "a proxy (" + at.server + ")";
}

Finding redirect(const Record& at) {
  const bool to_tls = at.way == Way::plain && at.location.starts_with("https://");
  return {
      ailment::redirect,
      {to_tls ? "the plain port sends everybody to https" : "the site sends requests to another address"},
      to_tls
          ? "Use the https URL as the control URL, or let /key and /ts2021 pass on the plain port: clients "
            "follow no redirect of /ts2021."
          : "Use the address of the redirect as the control URL, or answer here: clients follow no redirect "
            "of /ts2021."};
}

Finding no_answer(const Record& at) {
  if (at.what == What::silence)
    return {ailment::no_answer,
            {"a proxy waits for a server behind it", "the server is stuck",
             "the port belongs to something that is no HTTP server"},
            "Ask the server directly, without the proxy, with the same command."};
  return {ailment::no_answer,
          {"a proxy or firewall cuts this kind of request", "the server crashes or closes at once",
           "the port belongs to something that is no HTTP server"},
          "Ask the server directly, without the proxy, with the same command, and read its log."};
}

Finding not_http(const Record& at, Walk walk) {
  const Record* const tls = find(walk, Hop::tls);
  if (at.way != Way::plain && tls && tls->alpn == "h2") return http2_only();
  if (at.way == Way::plain)
    return {ailment::wrong_scheme,
            {"the port speaks TLS", "the port belongs to something that is no HTTP server"},
            "Use https:// in the URL, or the port on which plain HTTP is spoken."};
  return {ailment::no_answer,
          {"the port speaks another protocol than HTTP/1.1 inside TLS"},
          "Let HTTP/1.1 through on this port."};
}

std::optional<Finding> of_transport(const Record& at, Walk walk) {
  if (at.what == What::cut || at.what == What::silence) {
    const Record* const tls = find(walk, Hop::tls);
    if (at.what == What::cut && at.way == Way::tls && tls && tls->alpn == "h2" && at.hop == Hop::key) {
      Finding both = not_http(at, walk);
      both.causes.push_back("a firewall or the server cuts this kind of request");
      return both;
    }
    return no_answer(at);
  }
  if (at.what == What::not_http) {
    return not_http(at, walk);
  }
  if (is_one_of(at.what, {What::nobody_listens, What::no_route, What::tls_failed})) {
    return Finding{ailment::no_answer,
                   {"the server takes only some of the connections: it restarts, or is at a limit"},
                   "Look again; if it comes and goes, look at the limits of connections."};
  }
  return std::nullopt;
}

// Whether /ts2021 is answered as control servers do.
bool upgrade_is_known(Walk walk) {
  for (const Way way : {Way::plain, Way::tls}) {
    const Record* const upgrade = find(walk, Hop::upgrade, way);
    if (upgrade && (upgrade->verdict == Verdict::ok || says(*upgrade, "next protocol"))) return true;
  }
  return false;
}

}  // namespace

Finding http2_only() {
  return {ailment::http2_only,
          {"the front speaks only HTTP/2, also to clients that did not ask for it"},
          "Let the front speak HTTP/1.1 as well: the upgrade to TS2021 does not exist in HTTP/2."};
}

std::optional<Finding> of_status(const Record& at, bool inside) {
  if (at.what != What::status) return std::nullopt;
  if (!inside && at.status >= 300 && at.status < 400) return redirect(at);
  if (at.status == 429 || (at.status == 503 && at.retry_after))
    return Finding{
        ailment::rate_limited,
        {inside || !is_page(at) ? "the server has had too many requests from this machine or address"
                                : who(at) + " limits requests"},
        "Wait, then look again; raise the limit if many machines share one address."};
  if (!inside && at.status >= 502 && at.status <= 504) {
    Finding down{
        ailment::backend_down,
        {who(at) + " does not reach the server behind it: not running, another port, or too slow"},
        "Check from the proxy's machine that the server answers on the address that the proxy was given."};
    if (at.status == 503) down.causes.push_back("the server itself is not ready");
    return down;
  }
  if (says(at, "Too Large") || at.status == 413 || at.status == 414 || at.status == 431)
    return Finding{ailment::too_large,
                   {inside ? "the server's own limit" : "the limit of " + who(at) + " or of the server"},
                   "Raise the limit: heads need 8 KiB, bodies 1 MiB."};
  return std::nullopt;
}

Finding of_key(const Record& at, Walk walk) {
  if (auto found = of_transport(at, walk)) return *found;
  if (at.what == What::speaks_tls || (at.status == 400 && says(at, "HTTPS")))
    return {ailment::wrong_scheme, {"the port speaks TLS"}, "Use https:// in the URL."};
  if (auto found = of_status(at, false)) return *found;
  if (at.other_version != 0)
    return {ailment::version_refused,
            {"the server has no key for this version; it has one for " + std::to_string(at.other_version)},
            "Use a newer client, or switch support for old ones on."};
  if (at.what == What::no_noise_key) {
    return {ailment::ts2019_only,
            {"the server speaks only TS2019, or TS2021 is switched off",
             "a proxy drops the query of /key, and old servers answer by it"},
            "Update the server or switch TS2021 on: clients since 1.64 know nothing else."};
  }
  if (at.what == What::equal_keys) {
    return {ailment::bad_key,
            {"the server uses one key for Noise and for TS2019"},
            "Give it two different keys: one key in two protocols is not safe."};
  }
  if (at.what == What::changing_key) {
    return {ailment::bad_key,
            {"several servers with different keys stand behind one name",
             "the server makes a new key at each start, and has just started"},
            "Give all servers behind the name the same key, and keep it over restarts."};
  }
  if (at.status >= 500)
    return {
        ailment::server_error, {"the server fails at /key", who(at) + " fails"}, "Read the server's log."};
  if (upgrade_is_known(walk))
    return {ailment::proxy_page,
            {who(at) + " passes /ts2021 but answers /key itself"},
            "Let the proxy pass all paths of the host to the control server."};
  return {ailment::not_control,
          {"this is another web server", who(at) + " answers itself and passes neither /key nor /ts2021"},
          "Check host and port of the URL; let the proxy pass all paths of the host to the control server."};
}

namespace {

Finding stripped(const Record& at) {
  if (at.what == What::bad_switch)
    return {ailment::upgrade_stripped,
            {"something on the way has taken Upgrade or Connection out of the server's answer",
             "the server's own answer lacks them"},
            "Let the proxy pass hop-by-hop headers of a 101 as they are."};
  if (at.text.find("handshake header") != std::string::npos)
    return {ailment::upgrade_stripped,
            {"a proxy drops or changes the header X-Tailscale-Handshake"},
            "Let the proxy pass headers that it does not know."};
  return {ailment::upgrade_stripped,
          {"a proxy does not pass the headers Upgrade and Connection to the server as they are",
           "a proxy speaks HTTP/1.0 or HTTP/2 to the server"},
          "Let the proxy pass them; nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
          "proxy_set_header Connection upgrade."};
}

Finding of_native_upgrade(const Record& at, Walk walk) {
  if (auto found = of_transport(at, walk)) {
    if (at.what == What::cut) found->causes.front() = "a proxy or firewall cuts requests with Upgrade";
    return *found;
  }
  if (at.what == What::bad_switch || says(at, "next protocol") || says(at, "handshake header") ||
      at.status == 426 || (at.status == 500 && says(at, "Internal error")))
    return stripped(at);
  if (auto found = of_status(at, false)) return *found;
  if (at.status >= 500 && at.status != 501)
    return {ailment::server_error,
            {"the server fails at /ts2021", who(at) + " fails at it",
             "a proxy strips Upgrade and the server fails at that"},
            "Read the server's log."};
  if (at.status < 300 || (at.status == 404 && is_page(at)))
    return {ailment::proxy_page,
            {who(at) + " answers /ts2021 itself instead of passing it",
             "another server than that of /key answers /ts2021"},
            "Let the proxy pass all paths of the host to the control server."};
  if (at.status == 401 || at.status == 403)
    return {ailment::upgrade_refused,
            {"a rule of " + who(at) + " forbids the upgrade", "the server lets this address not in"},
            "Allow POST /ts2021 with any Upgrade in the proxy."};
  if (at.status == 501)
    return {ailment::upgrade_refused, {"the server has TS2021 switched off"}, "Switch it on."};
  return {ailment::upgrade_refused,
          {"a proxy does not know this kind of upgrade, or routes the path elsewhere",
           "the server has no TS2021"},
          "Ask the server directly, without the proxy, with the same command."};
}

}  // namespace

Finding of_upgrade(const Record& at, Walk walk) {
  Finding finding = of_native_upgrade(at, walk);
  if (at.way != Way::websocket) {
    if (works(walk, Hop::upgrade, Way::websocket))
      finding.causes.insert(finding.causes.begin(), "a proxy lets WebSockets through but no other upgrade");
    return finding;
  }
  if (!works(walk, Hop::upgrade, Way::plain) && !works(walk, Hop::upgrade, Way::tls)) return finding;
  finding = {
      ailment::websocket_blocked,
      {"a proxy does not pass WebSockets, or not with the subprotocol tailscale-control-protocol",
       "the server has no WebSocket way in", "a proxy routes GET and POST of /ts2021 to different places"},
      "Only clients in browsers need it: if they are wanted, pass GET /ts2021 with Upgrade: websocket to a "
      "server that takes it."};
  if (at.what == What::status && !is_page(at)) std::swap(finding.causes[0], finding.causes[1]);
  return finding;
}

}  // namespace ts2021::app

// SPDX-License-Identifier: BSD-3-Clause
#include "service/endpoints.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "service/handlers.h"

namespace ts2021::service {
namespace {

constexpr std::size_t max_form = 4096;  // bytes of a body that is no JSON

// THE table. A path that stands in no row is 404, a row's path with another method 405 (both by the
// connection). Behind each row: whether it is *implemented*, or a *default*, because it takes more than this
// library has; a program puts a row of its own in the place of any of them (ts2021/service/own_route.h).
constexpr Endpoint table[] = {
    // Outer site: HTTP/1.1. POST and GET /ts2021 belong to the connection itself.
    get(Site::outer, "/key", &on_key),                       // implemented
    get(Site::outer, "/health", &on_health),                 // implemented
    get(Site::outer, "/generate_204", &on_generate_204),     // implemented
    get(Site::outer, "/bootstrap-dns", &on_bootstrap_dns),   // default, because a library looks up no names
    get(Site::outer, "/derpmap/default", &on_derp_map),      // implemented
    json<&on_verify>(Site::outer, Method::post, "/verify"),  // implemented
    get(Site::outer, "/a/{}", &on_decision_page),            // default, because a login name proves nobody
    {Site::outer, Method::post, "/a/{}", max_form, &on_decision},     // as above
    get(Site::outer, "/auth/{}", &on_decision_page),                  // the same page, as test mode names it
    {Site::outer, Method::post, "/auth/{}", max_form, &on_decision},  // as above
    get(Site::outer, "/admin", &on_admin_page),  // default, because there is no administration here
    get(Site::outer, "/.well-known/openid-configuration", &on_openid_configuration),  // implemented
    get(Site::outer, "/.well-known/jwks.json", &on_key_set),                          // implemented
    {Site::outer, Method::head, "/ping/{}", 0, &on_ping_seen},                        // implemented
    json<&on_ping_answer>(Site::outer, Method::post, "/ping/{}"),                     // implemented
    boxed_post<&on_register>("/machine/{}"),                                          // implemented
    boxed_post<&on_map>("/machine/{}/map"),                                           // implemented
    boxed_post<&on_set_dns>("/machine/{}/set-dns"),                                   // as inside Noise
    // No rows, so 404: /api/v2/oauth/token, /api/v2/oauth/token-exchange and /api/v2/tailnet/-/keys, by which
    // a command line turns a secret of the hosted service into an auth key; /metrics and the like.

    // Inside Noise: HTTP/2.
    noise_post<&on_register>("/machine/register"),  // implemented
    noise_post<&on_map>("/machine/map"),            // implemented
    noise_post<&on_set_dns>("/machine/set-dns"),    // default, because the program has the name server
    noise_post<&on_id_token>("/machine/id-token"),  // implemented
    noise_post<&on_update_health>("/machine/update-health"),  // default, because nobody needs it: swallowed
    noise_post<&on_query_feature>("/machine/feature/query"),  // implemented: "serve" where certificates are
    get(Site::noise, "/machine/whoami", &on_whoami),          // implemented
    json<&on_set_device_attributes>(Site::noise, Method::patch, "/machine/set-device-attr"),  // implemented
    noise_post<&on_audit_log>("/machine/audit-log"),  // default, because the program has the log: a notice
    get(Site::noise, "/machine/ssh/action/from/{}/to/{}", &on_ssh_action),  // implemented
    noise_post<&on_ssh_event>("/machine/ssh/notify"),                       // default: a notice
    {Site::noise, Method::post, "/machine/webclient/init/{}/to/{}", max_form, &on_web_client_init},
    {Site::noise, Method::post, "/machine/webclient/wait/{}/to/{}/{}", max_form, &on_web_client_wait},
    {Site::noise, Method::post, "/machine/c2n/{}", max_json_body, &on_call_answer},  // implemented
    {Site::noise, Method::head, "/machine/ping/{}", 0, &on_ping_seen},               // implemented
    json<&on_ping_answer>(Site::noise, Method::post, "/machine/ping/{}"),            // implemented
    // Tailnet lock, all implemented: what is stored is verified.
    noise_get<&on_lock<TKAInitBeginRequest>>("/machine/tka/init/begin"),
    noise_get<&on_lock<TKAInitFinishRequest>>("/machine/tka/init/finish"),
    noise_get<&on_lock<TKABootstrapRequest>>("/machine/tka/bootstrap"),
    noise_get<&on_lock<TKASyncOfferRequest>>("/machine/tka/sync/offer"),
    noise_get<&on_lock<TKASyncSendRequest>>("/machine/tka/sync/send"),
    noise_get<&on_lock<TKASubmitSignatureRequest>>("/machine/tka/sign"),
    noise_get<&on_lock<TKADisableRequest>>("/machine/tka/disable"),
    noise_get<&on_lock<TKASignaturesUsingKeyRequest>>("/machine/tka/affected-sigs"),
    get(Site::noise, "/health", &on_health),
    {Site::noise, Method::post, "/health", max_json_body, &on_health},
};

constexpr std::size_t max_rows = 256;  // that a RouteId can name

constexpr std::size_t holes(std::string_view pattern) {
  std::size_t count = 0;
  for (std::size_t at = pattern.find("{}"); at != pattern.npos; at = pattern.find("{}", at + 2)) ++count;
  return count;
}

constexpr bool well_formed(Method method, std::string_view pattern) {
  return method != Method::other && pattern.starts_with('/') && holes(pattern) <= RouteMatch{}.args.size();
}

template <class A, class B>
constexpr bool same_row(const A& a, const B& b) {
  return a.site == b.site && a.method == b.method && a.pattern == b.pattern;
}

constexpr bool well_formed() {
  for (const Endpoint* row = std::begin(table); row != std::end(table); ++row) {
    if (!well_formed(row->method, row->pattern)) return false;
    if (std::any_of(std::begin(table), row, [row](const Endpoint& other) { return same_row(*row, other); }))
      return false;
  }
  return std::size(table) < max_rows;
}
static_assert(well_formed(), "a row that nothing can match, a row twice, or too many rows");

// The connection's view of the table.
constexpr auto routes = [] {
  std::array<Route, std::size(table)> out{};
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = {static_cast<RouteId>(i), table[i].site, table[i].method, table[i].pattern, table[i].max_body};
  return out;
}();

}  // namespace

std::span<const Endpoint> endpoints() noexcept { return table; }

}  // namespace ts2021::service

namespace ts2021 {

std::span<const Route> ControlService::routes() noexcept { return service::routes; }

// Own rows stand in front, so that they win; what they replace is left out, so that Allow names no method
// twice.
Result<std::vector<Route>> ControlService::routes(std::span<const OwnRoute> own) {
  std::vector<Route> out;
  if (own.size() + service::routes.size() > service::max_rows) return fail(Errc::misuse, 1104);
  for (std::size_t i = 0; i < own.size(); ++i) {
    const OwnRoute& row = own[i];
    if (!service::well_formed(row.method, row.pattern)) return fail(Errc::misuse, 1105);
    if (row.boxed && (row.site != Site::outer || service::holes(row.pattern) == 0))
      return fail(Errc::misuse, 1106);
    if (row.names_node && row.site == Site::outer && !row.boxed) return fail(Errc::misuse, 1107);
    out.push_back(
        {static_cast<RouteId>(service::routes.size() + i), row.site, row.method, row.pattern, row.max_body});
  }
  for (const Route& route : service::routes)
    if (std::none_of(own.begin(), own.end(), [&](const OwnRoute& o) { return service::same_row(o, route); }))
      out.push_back(route);
  return out;
}

}  // namespace ts2021
